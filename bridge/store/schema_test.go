package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kontur-ari/bridge"
)

// withMigration adds a version to the schema for the length of a test.
func withMigration(t *testing.T, statement string) {
	t.Helper()
	released := migrations
	migrations = append(migrations[:len(migrations):len(migrations)], statement)
	t.Cleanup(func() { migrations = released })
}

func reopen(t *testing.T, directory string) (*Store, error) {
	t.Helper()
	s, err := Open(t.Context(), directory)
	if err == nil {
		t.Cleanup(func() {
			if err := s.Close(); err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("closing the store: %v", err)
			}
		})
	}
	return s, err
}

// fill makes a store of the released version with one report waiting.
func fill(t *testing.T) (directory string) {
	t.Helper()
	directory = t.TempDir()
	s, err := Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Commit(t.Context(), bridge.Batch{Reports: []bridge.Report{{Kind: bridge.ReportStarted, Call: "1.1"}}})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestAnUpgradeKeepsWhatWaits(t *testing.T) {
	directory := fill(t)
	withMigration(t, "ALTER TABLE outbox ADD COLUMN added TEXT NOT NULL DEFAULT 'later'")
	s, err := reopen(t, directory)
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{"1.1"}, 10)
	if err != nil || len(waiting) != 1 || waiting[0].Report.Kind != bridge.ReportStarted {
		t.Errorf("after the upgrade: %+v, error %v", waiting, err)
	}
	added, err := query(t.Context(), s, "SELECT added FROM outbox", scanOne[string])
	if err != nil || len(added) != 1 || added[0] != "later" {
		t.Errorf("the upgrade made %q, error %v", added, err)
	}
}

func TestAFailedUpgradeLeavesTheStoreAsItWas(t *testing.T) {
	directory := fill(t)
	t.Run("upgrade", func(t *testing.T) {
		withMigration(t, "DELETE FROM outbox; ALTER TABLE nothing ADD COLUMN added TEXT")
		if _, err := reopen(t, directory); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("to version %d", len(migrations))) {
			t.Errorf("a migration that can't work: %v", err)
		}
	})
	s, err := reopen(t, directory)
	if err != nil {
		t.Fatal(err)
	}
	if waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{"1.1"}, 10); err != nil || len(waiting) != 1 {
		t.Errorf("what waits after a failed upgrade: %+v, error %v", waiting, err)
	}
}

func TestADowngradeIsRefused(t *testing.T) {
	directory := fill(t)
	t.Run("upgrade", func(t *testing.T) {
		withMigration(t, "CREATE TABLE added (id INTEGER)")
		if _, err := reopen(t, directory); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := reopen(t, directory); !errors.Is(err, ErrNewer) {
		t.Errorf("an older program on a newer store: %v, want %v", err, ErrNewer)
	}
}
