package delivery

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// firstPause is the pause after the first failure, longestPause the cap.
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
)

// pauseAfter is how long a call waits after so many failures in a row: doubling
// up to the cap, and spread over the upper half so that calls that failed
// together do not come back together.
func pauseAfter(failures int) time.Duration {
	pause := longestPause
	if shift := failures - 1; shift < 6 {
		pause = min(firstPause<<shift, longestPause)
	}
	return pause/2 + rand.N(pause/2)
}

// sleep waits, or not so long when ctx ends.
func sleep(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}
