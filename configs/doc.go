// Package configs turns one YAML file into a checked [Config].
//
// [Load] is the only way in. It accepts exactly the keys that [Config] has,
// reports everything that is wrong at once (with line numbers, and with what to
// write instead), and never puts the value of a secret into an error or a
// warning. Values come, in this order of precedence, from the environment
// (KONTUR_ARI_KONTUR_API_KEY for kontur.api_key), from the file a secret's
// `_file` key names, from the YAML file, and from [Default].
//
// The package knows nothing about what the values are used for and imports no
// other package of ours; only the command wires its values to the rest.
package configs
