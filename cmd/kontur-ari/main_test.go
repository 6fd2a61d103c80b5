package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goodConfig is the least that a configuration needs; more may be appended.
func goodConfig(t *testing.T, more string) string {
	t.Helper()
	text := `
asterisk: {username: kontur, password: secret}
kontur: {workspace: my-workspace, api_key: 8d40a0}
storage: {directory: ` + filepath.Join(t.TempDir(), "storage") + `}
` + more
	path := filepath.Join(t.TempDir(), "kontur-ari.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExitCodeAndWords(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "")
	directory := filepath.Join(t.TempDir(), "not", "there")
	tests := []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"version", []string{"version"}, exitOK, "kontur-ari ", ""},
		{"a good file", []string{"check-config", "--config", goodConfig(t, "")}, exitOK, "the configuration is good", ""},
		{"a misspelt key", []string{"check-config", "--config", goodConfig(t, "admin: {lisen: 127.0.0.1:0}\n")}, exitConfiguration, "", "admin.lisen"},
		{"a duration without a unit", []string{"check-config", "--config", goodConfig(t, "redirect: {timeout: 5}\n")}, exitConfiguration, "", "redirect.timeout"},
		{"run with a bad file", []string{"run", "--config", goodConfig(t, "nodes: x\n")}, exitConfiguration, "", "nodes"},
		{"no such file", []string{"run", "--config", directory}, exitConfiguration, "", directory},
		{"an unknown region", []string{"check-config", "--config", goodConfig(t, "calls: {region: ZZ}\n")}, exitConfiguration, "", "calls.region"},
		{"an unknown command", []string{"runn"}, exitFailure, "", "runn"},
		{"integration, and what of it", []string{"integration"}, exitFailure, "", "say status, enable or disable"},
		{"integration, unknown", []string{"integration", "enabel"}, exitFailure, "", "enabel"},
		{"outbox, and what of it", []string{"outbox"}, exitFailure, "", "say list, show ID, retry ID..., drop ID... or export"},
		{"outbox, unknown", []string{"outbox", "lits"}, exitFailure, "", "lits"},
		{"help", []string{"--help"}, exitOK, "outbox ", ""},
		{"no calls yet", []string{"ladder", "--config", goodConfig(t, "")}, exitFailure, "", "no calls are stored"},
		{"an address that is taken", []string{"run", "--config", goodConfig(t, "admin: {listen: 192.0.2.1:1}\nserver: {listen: 127.0.0.1:0}\nlog: {level: error}\n")}, exitFailure, "", "admin.listen"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), test.args, &stdout, &stderr); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(stdout.String(), test.stdout) {
				t.Errorf("standard output %q does not say %q", stdout.String(), test.stdout)
			}
			if !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("standard error %q does not say %q", stderr.String(), test.stderr)
			}
		})
	}
}
