package store

import (
	"context"
	"errors"
	"testing"
)

func TestLettersOfAnotherVersionAreLeftAlone(t *testing.T) {
	directory := fill(t)
	check := func(t *testing.T, want error) {
		t.Helper()
		for name, open := range map[string]func(context.Context, string) (*Reports, error){"reading": ReadReports, "changing": OpenReports} {
			if _, err := open(t.Context(), directory); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
	}
	t.Run("older", func(t *testing.T) {
		withMigration(t, "CREATE TABLE added (id INTEGER)")
		check(t, ErrOlder)
		if _, err := reopen(t, directory); err != nil {
			t.Fatal(err)
		}
	})
	check(t, ErrNewer)
}
