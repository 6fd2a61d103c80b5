package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"
)

// during has writes submitted while another one is being applied, and returns how each
// ended, the other first, and how many transactions it took.
func during(t *testing.T, s *Store, submitted ...func() error) (errs []error, transactions int64) {
	t.Helper()
	before := s.committer.commits.Load()
	begun, goOn := make(chan struct{}, 1), make(chan struct{})
	ended := make([]chan error, 1+len(submitted))
	for i, submit := range append([]func() error{func() error {
		return s.committer.do(t.Context(), func(tx transaction) error {
			select {
			case begun <- struct{}{}:
			default:
			}
			<-goOn
			return tx.exec("INSERT INTO moments (name, at) VALUES ('first', 1)")
		})
	}}, submitted...) {
		ended[i] = make(chan error, 1)
		go func() { ended[i] <- submit() }()
		if i == 0 {
			<-begun
		}
	}
	for limit := time.Now().Add(10 * time.Second); len(s.committer.writes) < len(submitted); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d of %d writes wait", len(s.committer.writes), len(submitted))
		}
	}
	close(goOn)
	for _, one := range ended {
		errs = append(errs, <-one)
	}
	return errs, s.committer.commits.Load() - before
}

func moments(t *testing.T, s *Store) (count int) {
	t.Helper()
	if err := s.reader().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM moments WHERE name <> 'checked'").Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count
}

// inserted writes one row, or the one that is there already.
func inserted(s *Store, name string) func() error {
	return func() error {
		return s.committer.do(context.Background(), func(tx transaction) error {
			return tx.exec("INSERT INTO moments (name, at) VALUES (?, 1)", name)
		})
	}
}

// What comes while a transaction is being prepared shares it.
func TestWritesThatComeDuringATransactionShareIt(t *testing.T) {
	s, err := reopen(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var writes []func() error
	for n := range 20 {
		writes = append(writes, inserted(s, fmt.Sprint("moment", n)))
	}
	checkpoint := func() error { return s.committer.checkpoint(context.Background()) }
	errs, transactions := during(t, s, append(writes, checkpoint, func() error {
		return s.committer.replace(context.Background(), new(sql.DB), errors.New("not this file"))
	})...)
	if err := errors.Join(errs...); err != nil || transactions != 1 || moments(t, s) != 21 {
		t.Errorf("%d transactions for %d moments, error %v", transactions, moments(t, s), err)
	}
}

// One of them that is at fault takes no other with it.
func TestAWriteThatFailsTakesNoOtherWithIt(t *testing.T) {
	s, err := reopen(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	errs, transactions := during(t, s, inserted(s, "second"), inserted(s, "first"), inserted(s, "third"), inserted(s, "first"))
	if errs[2] == nil || errs[4] == nil || errors.Join(errs[0], errs[1], errs[3]) != nil || moments(t, s) != 3 {
		t.Errorf("%d moments, errors %v", moments(t, s), errs)
	}
	if transactions != 1 {
		t.Errorf("the others took %d transactions, want 1", transactions)
	}
}

// One whose caller has gone is not begun any more.
func TestAWriteWhoseCallerHasGoneIsNotBegun(t *testing.T) {
	s, err := reopen(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	errs, _ := during(t, s, inserted(s, "second"), func() error {
		return s.committer.do(ctx, func(tx transaction) error { return tx.exec("INSERT INTO moments (name, at) VALUES ('gone', 1)") })
	}, func() error {
		for len(s.committer.writes) < 2 {
			time.Sleep(time.Millisecond)
		}
		cancel()
		return inserted(s, "third")()
	})
	if !errors.Is(errs[2], context.Canceled) || errors.Join(errs[0], errs[1], errs[3]) != nil || moments(t, s) != 3 {
		t.Errorf("%d moments, errors %v", moments(t, s), errs)
	}
}
