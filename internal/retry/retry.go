// Package retry gives the pauses between attempts, and waits for them.
package retry

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Pauses are how long a caller waits after failures in a row: First after the first
// one, then twice as long each time, up to Longest. Both must be positive, and
// First no longer than Longest.
type Pauses struct{ First, Longest time.Duration }

// After returns the pause after so many failures in a row. It lies in the upper half
// of the interval, so that callers that failed together do not return together.
// Counts below 1 count as 1.
func (p Pauses) After(failures int) time.Duration {
	// The library spreads a pause around its interval: three quarters, give or take a
	// third of that, is the upper half.
	const middle, spread = 3, 1.0 / 3
	exponential := backoff.ExponentialBackOff{
		InitialInterval: p.First * middle / 4, MaxInterval: p.Longest * middle / 4,
		Multiplier: 2, RandomizationFactor: spread,
	}
	exponential.Reset()
	pause := exponential.NextBackOff()
	// 64 doublings exceed every duration.
	for range min(failures, 64) - 1 {
		pause = exponential.NextBackOff()
	}
	return min(pause, p.Longest)
}

// Backoff counts failures in a row and returns the pause after each. Its zero value
// is of no use: see [New]. One goroutine at a time uses it.
type Backoff struct {
	pauses   Pauses
	failures int
}

// New returns a Backoff that has seen no failure.
func New(pauses Pauses) *Backoff { return &Backoff{pauses: pauses} }

// Next counts one more failure and returns the pause before the next attempt. The
// first pause is exactly First, and no pause is shorter.
func (b *Backoff) Next() time.Duration {
	b.failures++
	if b.failures == 1 {
		return b.pauses.First
	}
	return max(b.pauses.First, b.pauses.After(b.failures))
}

// Reset forgets the failures after a success.
func (b *Backoff) Reset() { b.failures = 0 }

// Sleep waits for a pause. It returns nil when the pause is over, else the cause of
// ctx at once.
func Sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
