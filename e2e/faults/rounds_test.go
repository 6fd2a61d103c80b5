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
	// name is that of its row in the table.
	name string
	// full and short are how often it strikes, parts in how many offices at a time.
	full, short, parts int
	// repeats says in words which requests may be repeated.
	repeats string
	// configure changes the daemon's configuration; nil: nothing.
	configure func(*lab.DaemonConfig)
	// prepare is called before the first round; nil: there is nothing to prepare.
	prepare func(*office) error
	// collapses: calls that were over may be told by their register-call alone.
	collapses bool
	// alone: nobody telephones but whom strike has telephone.
	alone bool
	// patience is how long a round may take where that is more than usual.
	patience time.Duration
	// strike breaks something in the round of that number, and mends it.
	strike func(ctx context.Context, o *office, round int) (allowance, error)
}

// run has a fault strike, again and again.
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

// seedOf is the seed of a test: tests that run side by side have different moments.
func seedOf(name string) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name)) // it can't fail
	return *seed ^ hash.Sum64()
}
