package recordings

import (
	"context"

	"kontur-ari/internal/retry"
)

// wakeups are the signals that there may be work. Each channel has room for one, so a
// signal never blocks and many count as one.
type wakeups struct {
	// news is the signal from outside; the three others are of one loop each.
	news, files, fetches, uploads chan struct{}
}

func newWakeups() wakeups {
	return wakeups{
		news: make(chan struct{}, 1), files: make(chan struct{}, 1),
		fetches: make(chan struct{}, 1), uploads: make(chan struct{}, 1),
	}
}

func wake(loop chan struct{}) {
	select {
	case loop <- struct{}{}:
	default:
	}
}

// Look wakes the Courier after a commit: there may be new jobs, or calls that are over.
// It never blocks.
func (c *Courier) Look() { wake(c.wakeups.news) }

// passNews wakes the three loops a moment after each news, until ctx ends.
func (c *Courier) passNews(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wakeups.news:
		}
		if retry.Sleep(ctx, c.pace.news) != nil {
			return
		}
		c.wakeWatchers()
		wake(c.wakeups.uploads)
	}
}

// wakeWatchers wakes the two loops that watch jobs.
func (c *Courier) wakeWatchers() {
	wake(c.wakeups.files)
	wake(c.wakeups.fetches)
}
