package faults_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"testing"
	"time"

	"kontur-ari/e2e/lab"
)

// fault is a kind of fault.
type fault struct {
	// name is the name of its row in the table.
	name string
	// full and short are its rounds in the full suite and in the short form. parts is
	// how many offices share the full suite's rounds.
	full, short, parts int
	// repeats says in words which requests may be repeated.
	repeats string
	// configure changes the daemon's configuration; nil: nothing.
	configure func(*lab.DaemonConfig)
	// prepare is called before the first round; nil: there is nothing to prepare.
	prepare func(*office) error
	// collapses allows the daemon to send register-call alone for a call that is over.
	collapses bool
	// alone means that strike plays all calls itself.
	alone bool
	// patience bounds a round that takes longer than usual; 0: the usual bound.
	patience time.Duration
	// strike breaks something and mends it. It gets the number of the round.
	strike func(ctx context.Context, o *office, round int) (allowance, error)
}

// run plays all rounds of a fault.
func (f fault) run(t *testing.T) {
	t.Parallel()
	suite.table.begin(f.name, f.repeats)
	rounds, parts := f.short, 1
	if *full {
		rounds, parts = f.full, f.parts
	}
	for part := range parts {
		t.Run(fmt.Sprint(part+1), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, seedOf(t.Name()), f)
			for round := part; round < rounds; round += parts {
				if o.found = o.round(f, round); o.found != nil {
					suite.table.failed(f.name)
					t.Fatalf("round %d of seed %d: %v", round, *seed, o.found)
				}
			}
		})
	}
}

// seedOf returns the seed of a test. Tests that run at the same time get different ones.
func seedOf(name string) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name)) // it can't fail
	return *seed ^ hash.Sum64()
}
