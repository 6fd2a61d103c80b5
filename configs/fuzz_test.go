package configs

import (
	"errors"
	"os"
	"testing"
)

// FuzzLoad gives Load any bytes. It must not panic, every error must be a
// configuration error with a problem in it, and what it accepts must be whole.
func FuzzLoad(f *testing.F) {
	example, err := os.ReadFile("kontur-ari.yaml")
	if err != nil {
		f.Fatal(err)
	}
	many, err := os.ReadFile("testdata/bad/many.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(example), string(many), minimal, "", "{}", "[]", "a: &a [*a]", "? {a: b}\n: c", "<<: {node: x}", "\xff\xfe", "%YAML 9\n---\n",
		"calls: {internal_numbers: '\\Qa'}", "storage: {journal_max_size: 9223372036854775807B}", "shutdown_timeout: 9223372036854775808ns",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		cfg, _, err := Load(write(t, string(content)))
		if err != nil {
			if bad, ok := errors.AsType[*Error](err); !ok || len(bad.Problems) == 0 || bad.Error() == "" {
				t.Fatalf("Load gave %T: %v", err, err)
			}
			return
		}
		if cfg.Node == "" || cfg.Kontur.APIKey.IsZero() || cfg.Asterisk.Password.IsZero() || cfg.Calls.InternalNumbers.IsZero() {
			t.Fatalf("Load accepted an incomplete configuration: %+v", cfg)
		}
	})
}
