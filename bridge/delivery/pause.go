package delivery

import (
	"math/rand/v2"
	"time"
)

// pauses are how long is waited after failures.
type pauses struct{ first, longest time.Duration }

// after is the pause after so many failures in a row: doubling up to the longest, and
// spread over the upper half so that those that failed together do not come back
// together.
func (p pauses) after(failures int) time.Duration {
	pause := p.first
	for ; failures > 1 && pause < p.longest; failures-- {
		pause *= 2
	}
	pause = min(pause, p.longest)
	return pause/2 + rand.N(pause/2+1)
}
