package configs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kontur-ari/configs"
)

func writeOffice(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "office.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInterpretationNeedsNeitherSecretsNorAFileThatTheDaemonCouldRunWith(t *testing.T) {
	cfg, err := configs.Interpretation(writeOffice(t, `
directory: {users: [{user_id: u101, extension: "101"}]}
calls: {report_internal: false}
kontur: {api_key_file: /nowhere/at/all}
admin: {listen: nonsense}
`))
	if err != nil {
		t.Fatal(err)
	}
	if user := cfg.Directory.Users[0]; user.Endpoint != "PJSIP/101" || user.UserID != "u101" {
		t.Errorf("user %+v", user)
	}
	if cfg.Calls.ReportInternal || cfg.Calls.Region != "RU" {
		t.Errorf("calls %+v", cfg.Calls)
	}
	if cfg.Kontur != (configs.Kontur{}) || cfg.Admin.Listen != "" {
		t.Error("more was read than what decides how calls are understood")
	}
}

func TestInterpretationSaysWhatIsWrongWithDirectoryAndCalls(t *testing.T) {
	for _, test := range []struct{ name, content, key string }{
		{"two phones of one name", `directory: {users: [{user_id: a, extension: "101"}, {user_id: b, extension: "101"}]}`, "directory.users[1].extension"},
		{"no such country", "calls: {region: XX}", "calls.region"},
		{"a misspelt section", "direktory: {}", "direktory"},
		{"no YAML", "directory: [", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := configs.Interpretation(writeOffice(t, test.content))
			bad, ok := errors.AsType[*configs.Error](err)
			if !ok || !strings.HasPrefix(bad.Problems[0].Key, test.key) {
				t.Errorf("error %v, want one of %q", err, test.key)
			}
		})
	}
	if _, err := configs.Interpretation("/nowhere/at/all"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
