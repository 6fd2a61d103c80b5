package configs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/viper"

	"kontur-ari/internal/secret"
)

// maxFile is far more than any directory of users takes.
const maxFile = 4 << 20

// Load reads the YAML file at path, the environment and the files that secrets
// are kept in. Whatever is wrong with them, a file that can't be read included,
// comes back as an [*Error] that lists all of it; then Config is the zero value.
// Warnings are given with and without an error.
func Load(path string) (Config, []Warning, error) { return newReport(path).load() }

// Check is Load for a person who looks at a file outside of the service: a secret
// that only the service can read, since its file is in systemd's credentials
// directory, is a warning and stays empty.
func Check(path string) (Config, []Warning, error) {
	r := newReport(path)
	r.outside = os.Getenv("CREDENTIALS_DIRECTORY") == ""
	return r.load()
}

// StorageDirectory returns storage.directory and looks at nothing else, so that
// what is stored can be read by those who can't read the secrets. The error is an
// [*Error].
func StorageDirectory(path string) (string, error) {
	r := newReport(path)
	content, err := readFile(path)
	if err != nil {
		r.caused(err, "", "can't be read: %s; name the file with --config", reason(err))
		return "", r.err()
	}
	values := document{r}.read(content)
	if err := r.err(); err != nil && values == nil {
		return "", err
	}
	cfg, err := merge(values, readEnvironment(r))
	if err != nil {
		r.caused(err, "", "can't be decoded: %s", err)
		return "", r.err()
	}
	return cfg.Storage.Directory, nil
}

func (r *report) load() (Config, []Warning, error) {
	content, err := readFile(r.file)
	if err != nil {
		r.caused(err, "", "can't be read: %s; name the file with --config", reason(err))
		return Config{}, nil, r.err()
	}
	values := document{r}.read(content)
	if err := r.err(); err != nil && values == nil {
		// Without a readable document every required key would be missing.
		return Config{}, nil, err
	}
	cfg, err := merge(values, readEnvironment(r))
	if err != nil {
		r.caused(err, "", "can't be decoded: %s", err)
		return Config{}, r.warnings, r.err()
	}
	inline := inlineSecrets(values)
	readSecretFiles(r, &cfg, inline)
	complete(r, &cfg)
	validate(r, &cfg)
	warn(r, &cfg, inline)
	if err := r.err(); err != nil {
		return Config{}, r.warnings, err
	}
	return cfg, r.warnings, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = mistake("larger than 4 MiB")
	}
	return content, err
}

// reason is what went wrong with a file, without the path that the problem
// begins with.
func reason(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err
	}
	return err
}

// merge lays the layers over each other: defaults, the file, the environment.
// All values have the types of their fields by now, so that nothing is left to
// viper's conversions (a bare 5 would become 5 ns).
func merge(file, environment map[string]any) (Config, error) {
	v := viper.New()
	defaults := Default()
	for _, key := range scalarKeys() {
		v.SetDefault(key.path, valueOf(&defaults, key.path))
	}
	v.SetDefault("calls.allowed_numbers", defaults.Calls.AllowedNumbers)
	v.SetDefault("recordings.names", defaults.Recordings.Names)
	if err := v.MergeConfigMap(file); err != nil {
		return Config{}, fmt.Errorf("merge file: %w", err)
	}
	for key, value := range environment {
		v.Set(key, value)
	}
	var cfg Config
	if err := v.UnmarshalExact(&cfg); err != nil {
		return Config{}, fmt.Errorf("unmarshal: %w", err)
	}
	return cfg, nil
}

// lookup finds a value in nested maps by its dotted path.
func lookup(values map[string]any, path string) any {
	section, rest, nested := strings.Cut(path, ".")
	if !nested {
		return values[section]
	}
	inner, ok := values[section].(map[string]any)
	if !ok {
		return nil
	}
	return lookup(inner, rest)
}

// inlineSecrets returns the keys of the secrets that stand in the file itself.
func inlineSecrets(file map[string]any) map[string]bool {
	inline := map[string]bool{}
	for _, s := range secretSources(&Config{}) {
		if secret, ok := lookup(file, s.key).(secret.String); ok && !secret.IsZero() {
			inline[s.key] = true
		}
	}
	return inline
}

// complete fills in what follows from other values or from the machine.
func complete(r *report, cfg *Config) {
	// An empty node in the file is a mistake; only a missing one is filled in.
	if _, set := r.lines["node"]; !set && cfg.Node == "" {
		name, err := os.Hostname()
		if err != nil {
			r.caused(err, "node", "this machine's host name can't be read; write a name for this Asterisk")
		}
		cfg.Node = name
	}
	for i := range cfg.Directory.Users {
		u := &cfg.Directory.Users[i]
		if u.Endpoint == "" && u.Extension != "" {
			u.Endpoint = "PJSIP/" + u.Extension
		}
	}
	cfg.Asterisk.URL = strings.TrimRight(cfg.Asterisk.URL, "/")
	cfg.Kontur.BaseURL = strings.TrimRight(cfg.Kontur.BaseURL, "/")
}
