package configs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// withKeyFile is minimal with the API key in a file.
func withKeyFile(path string) string {
	return strings.Replace(minimal, "api_key: the-api-key", "api_key_file: "+path, 1)
}

func keyFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "api_key")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretComesFromItsFile(t *testing.T) {
	for name, content := range map[string]string{
		"alone": "key-from-file", "unix line end": "key-from-file\n", "dos line end": "key-from-file\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := load(t, withKeyFile(keyFile(t, content)))
			if got := cfg.Kontur.APIKey.Reveal(); got != "key-from-file" {
				t.Errorf("the key is %q", got)
			}
		})
	}
}

func TestCredentialsDirectoryIsExpanded(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(keyFile(t, "credential\n")))
	cfg, _ := load(t, withKeyFile("${CREDENTIALS_DIRECTORY}/api_key"))
	if got := cfg.Kontur.APIKey.Reveal(); got != "credential" {
		t.Errorf("the key is %q", got)
	}
}

func TestEnvironmentWinsOverASecretFile(t *testing.T) {
	t.Setenv("KONTUR_ARI_KONTUR_API_KEY", "key-from-environment")
	cfg, _ := load(t, withKeyFile("/nowhere/at/all"))
	if got := cfg.Kontur.APIKey.Reveal(); got != "key-from-environment" {
		t.Errorf("the key is %q", got)
	}
}

func TestSecretFileMayBeNamedByTheEnvironment(t *testing.T) {
	t.Setenv("KONTUR_ARI_KONTUR_API_KEY_FILE", keyFile(t, "key-from-file"))
	cfg, _ := load(t, strings.Replace(minimal, "  api_key: the-api-key\n", "", 1))
	if got := cfg.Kontur.APIKey.Reveal(); got != "key-from-file" {
		t.Errorf("the key is %q", got)
	}
}

func TestBadSecretFiles(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, file, want string }{
		{"missing", "/nowhere/at/all", "can't be read: stat /nowhere/at/all: no such file or directory"},
		{"directory", t.TempDir(), "not a regular file"},
		{"pipe", pipe, "not a regular file"},
		{"relative, perhaps the key itself", "8d4f00d8a0", "not an absolute path"},
		{"empty", keyFile(t, "\n"), "the file is empty"},
		{"large", keyFile(t, strings.Repeat("x", maxSecret+1)), "larger than 64 KiB"},
		{"no credentials", "${CREDENTIALS_DIRECTORY}/api_key", "is not set; systemd sets it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("CREDENTIALS_DIRECTORY", "")
			found := problems(t, withKeyFile(test.file))
			if len(found) != 1 || found[0].Key != "kontur.api_key_file" || !strings.Contains(found[0].Text, test.want) {
				t.Errorf("problems %v, want one of kontur.api_key_file with %q", found, test.want)
			}
			if strings.Contains(found[0].Error(), "8d4f00d8a0") {
				t.Errorf("the problem repeats what may be the key: %v", found)
			}
		})
	}
}

func TestSecretInTwoPlacesIsAnError(t *testing.T) {
	found := problems(t, minimal+"  api_key_file: "+keyFile(t, "x")+"\n")
	if len(found) != 1 || found[0].Key != "kontur.api_key_file" || !strings.Contains(found[0].Text, "kontur.api_key is set as well") {
		t.Errorf("problems %v", found)
	}
}

func TestBadContentOfASecretFileIsAProblem(t *testing.T) {
	found := problems(t, withKeyFile(keyFile(t, "two\nlines\n")))
	if len(found) != 1 || found[0].Key != "kontur.api_key" || strings.Contains(found[0].Error(), "two") {
		t.Errorf("problems %v", found)
	}
}
