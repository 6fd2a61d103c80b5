package ari

import (
	"math/rand/v2"
	"time"
)

// backoff gives the pauses between attempts to connect: the first is exactly
// first, later ones are drawn from the upper half of an interval that doubles up
// to most. No pause is shorter than first. One goroutine at a time.
type backoff struct {
	first, most time.Duration
	failures    int
}

// next returns the pause before the next attempt.
func (b *backoff) next() time.Duration {
	pause := b.first
	for range b.failures {
		pause = min(2*pause, b.most)
	}
	b.failures++
	if b.failures == 1 {
		return b.first
	}
	return max(b.first, pause/2+rand.N(pause/2+1))
}

// reset makes the next pause the first one again.
func (b *backoff) reset() { b.failures = 0 }
