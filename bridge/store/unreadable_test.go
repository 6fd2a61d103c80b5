package store_test

import (
	"errors"
	mathbits "math/bits"
	"os"
	"path/filepath"
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// SQLite does not notice a flipped bit in the text of a report.
func TestAReportThatCannotBeReadKeepsNoOtherFromBeingRead(t *testing.T) {
	for _, test := range []struct{ name, damaged string }{
		{"no JSON", `{"kind":"call-started","call";"1.1"`},
		{"no moment", `{"kind":"call-started","call":"1.1","time":"r026-`},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			s, err := store.Open(t.Context(), directory)
			if err != nil {
				t.Fatal(err)
			}
			commitKinds(t, s, "1.1", overKinds)
			commitKinds(t, s, "2.1", overKinds)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			turnBit(t, filepath.Join(directory, store.FileName), test.damaged)
			s = openUntended(t, directory)
			waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{"1.1", "2.1"}, 8)
			if errors.Is(err, bridge.ErrStoreDamaged) {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = openUntended(t, directory)
				waiting, err = s.OldestWaiting(t.Context(), []bridge.CallID{"1.1", "2.1"}, 8)
			}
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[bridge.CallID]int)
			for _, pending := range waiting {
				got[pending.Report.Call]++
			}
			if got["2.1"] != len(overKinds) || got["1.1"] < len(overKinds)-1 {
				t.Errorf("reports that were read: %v", got)
			}
			_, err = s.Collapse(t.Context(), []bridge.CallID{"1.1", "2.1"})
			if err := errors.Join(err, s.Close()); err != nil {
				t.Errorf("collapsing: %v", err)
			}
		})
	}
}

// The inspection of the whole file finds such a report before it is read.
func TestAReportThatIsNoJSONIsFoundByTheInspection(t *testing.T) {
	directory := t.TempDir()
	t.Run("before", func(t *testing.T) { commitKinds(t, open(t, directory), "1.1", overKinds) })
	turnBit(t, filepath.Join(directory, store.FileName), `{"kind":"call-started","call";"1.1"`)
	s := openUntended(t, directory)
	s = restartAfter(t, s, directory, s.Inspect(t.Context()))
	if damage := oneDamage(t, s); damage.Saved["outbox"] != len(overKinds)-1 {
		t.Errorf("saved %v, want all reports but one", damage.Saved)
	}
}

// A file of an earlier version is migrated even if it holds such a report.
func TestAReportThatIsNoJSONKeepsNoFileFromBeingBroughtForward(t *testing.T) {
	directory := released(t, 5)
	turnBit(t, filepath.Join(directory, store.FileName), `{"kind":"call-started","call";"1795433135.27"`)
	s := openUntended(t, directory)
	_, err := s.OldestWaiting(t.Context(), []bridge.CallID{"1795433135.27"}, 10)
	s = restartAfter(t, s, directory, err)
	if left := len(mustNext(t, s, "1795433135.27")); left != 5 {
		t.Errorf("%d reports can be read, want all others, which are 5", left)
	}
	oneDamage(t, s)
}

// A value whose type has changed counts as damage, also if the migration finds it.
func TestAValueOfAnotherTypeKeepsNoFileFromBeingBroughtForward(t *testing.T) {
	directory := released(t, 5)
	spoil(t, directory, `PRAGMA writable_schema = ON;
		UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'outbox'`)
	spoil(t, directory, "UPDATE outbox SET report = CAST(report AS TEXT) WHERE id = 104")
	spoil(t, directory, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'outbox'")
	s := open(t, directory)
	if damage := oneDamage(t, s); damage.Saved["outbox"] != 5 || len(mustNext(t, s, "1795433135.27")) != 5 {
		t.Errorf("saved %v, want all reports but one", damage.Saved)
	}
}

// turnBit writes a text into a file, in place of the one text that differs from it by a bit.
func turnBit(t *testing.T, path, text string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range len(content) - len(text) {
		if found := content[at : at+len(text)]; differsByABit(found, text) {
			copy(found, text)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("the text is not there")
}

func differsByABit(found []byte, text string) bool {
	bits := 0
	for i, b := range found {
		if bits += mathbits.OnesCount8(b ^ text[i]); bits > 1 {
			return false
		}
	}
	return bits == 1
}
