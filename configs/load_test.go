package configs

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/internal/secret"
)

// minimal is a file that sets what has no default and nothing else.
const minimal = `asterisk:
  username: kontur
  password: ari-password
kontur:
  workspace: my-workspace
  api_key: the-api-key
`

// write puts a configuration into a file that only its owner can read.
func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kontur-ari.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads a configuration that is expected to be good.
func load(t *testing.T, content string) (Config, []Warning) {
	t.Helper()
	cfg, warnings, err := Load(write(t, content))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return cfg, warnings
}

// problems loads a configuration that is expected to be bad.
func problems(t *testing.T, content string) []Problem {
	t.Helper()
	cfg, _, err := Load(write(t, content))
	bad, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("Load gave %T (%v), want *Error", err, err)
	}
	if diff := cmp.Diff(Config{}, cfg); diff != "" {
		t.Errorf("Load gave an error and a configuration:\n%s", diff)
	}
	return bad.Problems
}

func TestMinimalFileGivesTheDefaults(t *testing.T) {
	cfg, warnings := load(t, minimal)
	want := Default()
	want.Node, _ = os.Hostname()
	want.Asterisk.Username = "kontur"
	want.Asterisk.Password = secret.New("ari-password")
	want.Kontur.Workspace = "my-workspace"
	want.Kontur.APIKey = secret.New("the-api-key")
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if len(warnings) != 0 {
		t.Errorf("warnings: %v", warnings)
	}
}

func TestDefaultsStayWhenASectionIsEmptiedOrPartlySet(t *testing.T) {
	cfg, _ := load(t, minimal+"admin:\nserver: {}\ndirectory:\n  users:\n  trunks: []\nstorage:\n  journal_keep: 24h\n")
	want := Default()
	if cfg.Admin != want.Admin || !reflect.DeepEqual(cfg.Server, want.Server) {
		t.Errorf("admin %v, server %v; want the defaults", cfg.Admin, cfg.Server)
	}
	if cfg.Storage.JournalKeep != 24*time.Hour || cfg.Storage.Directory != want.Storage.Directory {
		t.Errorf("storage %v", cfg.Storage)
	}
	if len(cfg.Directory.Users)+len(cfg.Directory.Trunks) != 0 {
		t.Errorf("directory %v, want an empty one", cfg.Directory)
	}
}

func TestNumbersInPlaceOfTextAreKeptAsWritten(t *testing.T) {
	cfg, _ := load(t, minimal+"directory:\n  users:\n    - {user_id: 1, extension: 0101, mobile: 79991112233}\nnode: 1.10\n")
	user := cfg.Directory.Users[0]
	if user.Extension != "0101" || user.Endpoint != "PJSIP/0101" || user.Mobile != "79991112233" || cfg.Node != "1.10" {
		t.Errorf("user %+v, node %q", user, cfg.Node)
	}
}

func TestOneUserMayHaveSeveralTelephones(t *testing.T) {
	cfg, _ := load(t, minimal+`directory:
  users:
    - {user_id: u1, extension: "101", mobile: "79991112233"}
    - {user_id: u1, extension: "201", endpoint: SIP/desk}
    - {user_id: u2, mobile: "79991112244"}
`)
	want := []User{
		{UserID: "u1", Extension: "101", Endpoint: "PJSIP/101", Mobile: "79991112233"},
		{UserID: "u1", Extension: "201", Endpoint: "SIP/desk"},
		{UserID: "u2", Mobile: "79991112244"},
	}
	if diff := cmp.Diff(want, cfg.Directory.Users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func TestNetworksOfTheServerAreRead(t *testing.T) {
	cfg, warnings := load(t, minimal+`server:
  listen: ""
  allowed_networks: [203.0.113.0/24, "2001:db8::/32"]
  trusted_proxies:
    - 127.0.0.1/32
`)
	want := Server{
		AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		TrustedProxies:  []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}
	if !reflect.DeepEqual(cfg.Server, want) || len(warnings) != 0 {
		t.Errorf("server is %+v, want %+v; warnings %v", cfg.Server, want, warnings)
	}
}

func TestCommandsInThePlainAreWarnedOf(t *testing.T) {
	for server, warned := range map[string]bool{
		"{listen: '127.0.0.1:8090'}":       false,
		"{listen: '[::1]:8090'}":           false,
		"{listen: 'localhost:8090'}":       false,
		"{listen: ''}":                     false,
		"{listen: ':8090'}":                true,
		"{listen: '192.0.2.1:8090'}":       true,
		"{listen: 'pbx.example.org:8090'}": true,
		"{listen: ':8443', tls_cert: /etc/cert.pem, tls_key: /etc/key}": false,
	} {
		_, warnings := load(t, minimal+"server: "+server+"\n")
		got := slices.ContainsFunc(warnings, func(w Warning) bool { return w.Key == "server.listen" })
		if got != warned {
			t.Errorf("%s: warned is %v, want %v (%v)", server, got, warned, warnings)
		}
	}
}

func TestAddressesLoseTheSlashAtTheirEnd(t *testing.T) {
	cfg, _ := load(t, strings.Replace(minimal, "asterisk:\n", "asterisk:\n  url: http://127.0.0.1:8088/ari/\n", 1))
	if cfg.Asterisk.URL != "http://127.0.0.1:8088/ari" {
		t.Errorf("asterisk.url is %q", cfg.Asterisk.URL)
	}
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	t.Setenv("KONTUR_ARI_NODE", "pbx9")
	t.Setenv("KONTUR_ARI_KONTUR_API_KEY", "key-from-environment")
	t.Setenv("KONTUR_ARI_KONTUR_REQUEST_TIMEOUT", "3s")
	t.Setenv("KONTUR_ARI_STORAGE_JOURNAL_MAX_SIZE", "64MiB")
	t.Setenv("KONTUR_ARI_CALLS_INTERNAL_NUMBERS", `\d{3}`)
	t.Setenv("KONTUR_ARI_CALLS_REPORT_INTERNAL", "false")
	t.Setenv("KONTUR_ARI_KONTUR_CONNECTIONS", "2")
	t.Setenv("KONTUR_ARI_LOG_LEVEL", "")
	cfg, _ := load(t, minimal+"node: pbx1\n")
	switch {
	case cfg.Node != "pbx9", cfg.Kontur.APIKey.Reveal() != "key-from-environment", cfg.Kontur.RequestTimeout != 3*time.Second,
		cfg.Storage.JournalMaxSize != 64<<20, cfg.Calls.InternalNumbers.String() != `\d{3}`, cfg.Calls.ReportInternal,
		cfg.Kontur.Connections != 2, cfg.Log.Level != "info":
		t.Errorf("the environment did not win: %+v", cfg)
	}
}

func TestEveryScalarKeyHasAVariableOfItsOwn(t *testing.T) {
	names := map[string]string{}
	for _, key := range scalarKeys() {
		if other, taken := names[key.env()]; taken {
			t.Errorf("%s belongs to %s and %s", key.env(), other, key.path)
		}
		names[key.env()] = key.path
	}
}

func TestBadVariableIsNamed(t *testing.T) {
	t.Setenv("KONTUR_ARI_KONTUR_REQUEST_TIMEOUT", "15")
	found := problems(t, minimal)
	if len(found) != 1 || found[0].Error() != "$KONTUR_ARI_KONTUR_REQUEST_TIMEOUT: kontur.request_timeout: 15 has no unit; write 15s for seconds, 15m for minutes or 15h for hours" {
		t.Errorf("problems: %v", found)
	}
}

func TestUnknownVariableIsWarnedOf(t *testing.T) {
	t.Setenv("KONTUR_ARI_KONTUR_APIKEY", "x")
	_, warnings := load(t, minimal)
	want := []Warning{{Where: "$KONTUR_ARI_KONTUR_APIKEY", Text: "this environment variable belongs to no key and is ignored; did you mean KONTUR_ARI_KONTUR_API_KEY?"}}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestMissingFileIsAConfigurationError(t *testing.T) {
	_, _, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if _, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Load gave %v", err)
	}
	if !strings.Contains(err.Error(), "none.yaml: can't be read: no such file or directory") {
		t.Errorf("error is %q", err)
	}
}

func TestFileOpenToEverybodyIsWarnedOfWhenItHoldsSecrets(t *testing.T) {
	const open = "everybody on this machine can read the secrets in it"
	mentions := func(warnings []Warning) bool {
		return slices.ContainsFunc(warnings, func(w Warning) bool { return strings.Contains(w.Text, open) })
	}
	path := write(t, minimal)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, warnings, err := Load(path); err != nil || !mentions(warnings) {
		t.Errorf("warnings %v, error %v", warnings, err)
	}
	t.Setenv("KONTUR_ARI_KONTUR_API_KEY", "the-api-key")
	t.Setenv("KONTUR_ARI_ASTERISK_PASSWORD", "ari-password")
	path = write(t, "asterisk:\n  username: kontur\nkontur:\n  workspace: my-workspace\n")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, warnings, err := Load(path); err != nil || mentions(warnings) {
		t.Errorf("warnings %v, error %v", warnings, err)
	}
}

func TestOddValuesAreWarnedOf(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"ari path", "asterisk: {url: 'http://127.0.0.1:8088', username: u, password: p}", "asterisk.url: doesn't end in /ari"},
		{"plain http to asterisk", "asterisk: {url: 'http://10.0.0.5:8088/ari', username: u, password: p}", "asterisk.url: the ARI password crosses"},
		{"reserved source", "history: {source: csv, dsn: /var/log/asterisk/cdr-csv/Master.csv}", "history.source: reserved: read and checked, not acted on yet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			content := test.content + "\n" + minimal
			if strings.HasPrefix(test.content, "asterisk") {
				content = test.content + "\n" + minimal[strings.Index(minimal, "kontur:\n"):]
			}
			_, warnings := load(t, content)
			if !slices.ContainsFunc(warnings, func(w Warning) bool { return strings.Contains(w.String(), test.want) }) {
				t.Errorf("warnings %v, want one with %q", warnings, test.want)
			}
		})
	}
}
