package store

import (
	"context"
	"errors"
	"testing"
)

func TestLettersOfAnotherVersionAreLeftAlone(t *testing.T) {
	released := migrations
	directory := func() string {
		migrations = released[:len(released)-1]
		defer func() { migrations = released }()
		return fill(t)
	}()
	check := func(t *testing.T, want error) {
		t.Helper()
		for name, open := range map[string]func(context.Context, string) (*Letters, error){"reading": ReadLetters, "changing": OpenLetters} {
			if _, err := open(t.Context(), directory); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
	}
	check(t, ErrOlder)
	t.Run("upgrade", func(t *testing.T) {
		withMigration(t, "CREATE TABLE added (id INTEGER)")
		if _, err := reopen(t, directory); err != nil {
			t.Fatal(err)
		}
	})
	check(t, ErrNewer)
}
