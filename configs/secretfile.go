package configs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"kontur-ari/internal/secret"
)

// maxSecret is more than any key or password has, and less than a log that was
// named by mistake.
const maxSecret = 64 << 10

const credentials = "${CREDENTIALS_DIRECTORY}"

// secretSource is a secret and the key that may name a file for it.
type secretSource struct {
	key  string
	set  *secret.String
	file *string
}

// secretSources returns all secrets of cfg, in the order of the struct.
func secretSources(cfg *Config) []secretSource {
	return []secretSource{
		{"asterisk.password", &cfg.Asterisk.Password, &cfg.Asterisk.PasswordFile},
		{"kontur.api_key", &cfg.Kontur.APIKey, &cfg.Kontur.APIKeyFile},
		{"kontur.integration_secret", &cfg.Kontur.IntegrationSecret, &cfg.Kontur.IntegrationSecretFile},
		{"history.dsn", &cfg.History.DSN, &cfg.History.DSNFile},
	}
}

// readSecretFiles fills in the secrets that come from files. A secret in the
// environment wins; one that is in the YAML file as well as in a file of its
// own is an error, because neither is known to be the old one.
func readSecretFiles(r *report, cfg *Config, inline map[string]bool) {
	for _, s := range secretSources(cfg) {
		fileKey := s.key + "_file"
		if *s.file == "" {
			continue
		}
		if inline[s.key] {
			r.problem(fileKey, "%s is set as well; keep one of the two", s.key)
			r.bad[s.key] = true
			continue
		}
		if _, ok := r.env[s.key]; ok {
			continue
		}
		if r.outside && strings.Contains(*s.file, credentials) {
			r.warn(fileKey, "not checked: only the service can read %s", credentials)
			r.bad[s.key] = true
			continue
		}
		value, err := readSecretFile(*s.file)
		if err != nil {
			r.caused(err, fileKey, "%s", err)
			r.bad[s.key] = true
			continue
		}
		*s.set = secret.New(value)
		// Problems with the value are problems with the file's content.
		r.lines[s.key] = r.lines[fileKey]
	}
}

// readSecretFile returns what a file holds, without the line end that editors
// put at its end. Its errors hold neither the content nor a path that isn't
// one: it may be the secret itself, written behind the wrong key.
func readSecretFile(name string) (string, error) {
	path, err := expandCredentials(name)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(path) {
		return "", mistake("not an absolute path; write the path of a file that holds the secret, beginning with / or " + credentials)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", unreadable(err)
	}
	// Opening a pipe would wait for a writer.
	if !info.Mode().IsRegular() {
		return "", mistake("not a regular file; write the path of a file that holds the secret")
	}
	file, err := os.Open(path)
	if err != nil {
		return "", unreadable(err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", unreadable(err)
	}
	if len(content) > maxSecret {
		return "", mistake("the file is larger than 64 KiB; write the path of a file that holds the secret and nothing else")
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if value == "" {
		return "", mistake("the file is empty; write the secret into it")
	}
	return value, nil
}

func expandCredentials(name string) (string, error) {
	if !strings.Contains(name, credentials) {
		return name, nil
	}
	directory := os.Getenv("CREDENTIALS_DIRECTORY")
	if directory == "" {
		return "", mistake(credentials + " is not set; systemd sets it for a service that has LoadCredential= lines, elsewhere set it to the directory of the secrets")
	}
	return strings.ReplaceAll(name, credentials, directory), nil
}

func unreadable(err error) error {
	return fmt.Errorf("can't be read: %w; name a file that the daemon's user may read", err)
}
