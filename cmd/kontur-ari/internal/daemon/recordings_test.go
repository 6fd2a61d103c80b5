package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/configs"
	"kontur-ari/recordings"
)

// nameIsTaken writes a configuration with a name in recordings.names, and returns whether
// it is accepted. The error is one that has another reason.
func nameIsTaken(path, name string) (bool, error) {
	quoted, err := json.Marshal(name)
	if err != nil {
		return false, err
	}
	content := fmt.Sprintf("asterisk: {username: u, password: p}\nkontur: {workspace: w, api_key: k}\nrecordings: {names: [%s]}\n", quoted)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return false, err
	}
	cfg, _, err := configs.Load(path)
	if bad, ok := errors.AsType[*configs.Error](err); ok && len(bad.Problems) == 1 && bad.Problems[0].Key == "recordings.names[0]" {
		return false, nil
	}
	if err == nil && (len(cfg.Recordings.Names) != 1 || cfg.Recordings.Names[0] != name) {
		return false, fmt.Errorf("%q was read as %q", name, cfg.Recordings.Names)
	}
	return err == nil, err
}

// checkName checks that both the configuration and the courier accept a name, or neither.
func checkName(t interface{ Errorf(string, ...any) }, path, name string) (taken bool) {
	taken, err := nameIsTaken(path, name)
	if err != nil {
		t.Errorf("%q: %v", name, err)
	}
	if _, err := recordings.ParseTemplate(name); (err == nil) != taken {
		t.Errorf("recordings.names takes %q: %t; the courier: %v", name, taken, err)
	}
	return taken
}

// The configuration and the courier must accept the same names. Otherwise a running daemon
// would refuse a name that it was started with, or a start one that works.
func TestTheConfigurationTakesTheNamesThatTheCourierDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kontur-ari.yaml")
	for name, want := range map[string]bool{
		"{year}/{month}/{day}/*-{uniqueid}.*": true,
		"{uniqueid}.wav":                      true,
		"*{linkedid}*":                        true,
		"{linkedid}-{uniqueid}":               true,
		"{uniqueid}{uniqueid}":                true,
		"a b/c, d/{uniqueid}.wav":             true,
		"Иван/{uniqueid}.wav":                 true,
		"..{uniqueid}..":                      true,
		".hidden/{linkedid}":                  true,
		"...//{uniqueid}":                     false,
		".../{uniqueid}":                      true,
		"'{uniqueid}'":                        true,
		"{uniqueid}\n":                        true,
		"":                                    false,
		".":                                   false,
		"/":                                   false,
		"{uniqueid}/":                         false,
		"/{uniqueid}":                         false,
		"a//{uniqueid}":                       false,
		"./{uniqueid}":                        false,
		"{uniqueid}/..":                       false,
		"../{uniqueid}":                       false,
		"a/../{uniqueid}":                     false,
		"*.wav":                               false,
		"{year}.wav":                          false,
		"{uniqueid}?":                         false,
		"{uniqueid}[0-9]":                     false,
		"{uniqueid}]":                         false,
		`{uniqueid}\`:                         false,
		"{extension}{uniqueid}":               false,
		"{UNIQUEID}{uniqueid}":                false,
		"{uniqueid}{":                         false,
		"{uniqueid":                           false,
		"{{uniqueid}}":                        false,
		"{year{uniqueid}}":                    false,
		"{}{uniqueid}":                        false,
		"{uniqueid}}":                         false,
		"}{uniqueid}":                         false,
		"{uniqueid}\x00":                      false,
	} {
		if taken := checkName(t, path, name); taken != want {
			t.Errorf("recordings.names takes %q: %t, want %t", name, taken, want)
		}
	}
	for _, name := range configs.Default().Recordings.Names {
		if !checkName(t, path, name) {
			t.Errorf("%q, which is the default, is refused", name)
		}
	}
}

func TestWhateverNameTheConfigurationTakesTheCourierDoesToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kontur-ari.yaml")
	part := rapid.SampledFrom([]string{
		"{uniqueid}", "{uniqueid}", "{linkedid}", "{year}", "{month}", "{day}", "{other}", "*", "a", "1-", "Я", " ", "/", "/", ".", "..", "-", "\n",
		"?", "[", "]", `\`, "{", "}", "'", "#", "\x00",
	})
	rapid.Check(t, func(t *rapid.T) {
		checkName(t, path, strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), ""))
	})
}
