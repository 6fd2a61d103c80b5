package recordings

import "time"

// Hurry lets a Courier look and retry after milliseconds instead of seconds. Call it
// before Run.
func (c *Courier) Hurry() {
	c.pace = pace{
		news: 5 * time.Millisecond, look: 20 * time.Millisecond, load: 50 * time.Millisecond, fetch: 50 * time.Millisecond,
		upload: 50 * time.Millisecond, reach: 20 * time.Millisecond, remove: 50 * time.Millisecond, store: 20 * time.Millisecond,
	}
}
