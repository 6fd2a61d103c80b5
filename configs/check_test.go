package configs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kontur-ari/configs"
)

const withCredentials = `
asterisk: {username: kontur, password: secret}
kontur: {workspace: my-workspace, api_key_file: "${CREDENTIALS_DIRECTORY}/api_key"}
storage: {directory: /var/lib/elsewhere}
`

func TestCheckLeavesWhatOnlyTheServiceCanRead(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	path := filepath.Join(t.TempDir(), "kontur-ari.yaml")
	if err := os.WriteFile(path, []byte(withCredentials), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := configs.Load(path); err == nil {
		t.Error("the service itself would start without its key")
	}
	_, warnings, err := configs.Check(path)
	if err != nil {
		t.Fatalf("checking outside of the service: %v", err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0].String(), "kontur.api_key_file") {
		t.Errorf("warnings %v, want one about kontur.api_key_file", warnings)
	}
	directory, err := configs.StorageDirectory(path)
	if err != nil || directory != "/var/lib/elsewhere" {
		t.Errorf("storage directory %q, error %v", directory, err)
	}
}
