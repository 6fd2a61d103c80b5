// Package configs turns one YAML file into a checked [Config].
//
// [Load] reads a file for the daemon; [Check], [Interpretation] and
// [StorageDirectory] read it for commands that need less. They accept exactly the
// keys that [Config] has, and report everything that is wrong at once, with line
// numbers and with what to write instead. The value of a secret never stands in an
// error or a warning. Values come, in this order of precedence, from the environment
// (KONTUR_ARI_KONTUR_API_KEY for kontur.api_key), from the file a secret's
// `_file` key names, from the YAML file, and from [Default].
//
// The package knows nothing about what the values are used for and imports
// internal/secret alone of ours; only the command wires its values to the rest.
package configs
