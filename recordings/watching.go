package recordings

import (
	"context"
	"maps"
	"slices"
	"time"

	"kontur-ari/bridge"
)

// mostWatched is how many jobs one loop watches at the same time; others wait in the store.
const mostWatched = 1024

// watch is a job whose file or files are awaited.
type watch struct {
	job      bridge.RecordingJob
	settling settling
	// began is the time of the first look, next that of the next one, tries how many looks
	// were in vain.
	began, next time.Time
	tries       int
	// trouble is why the last look failed; nil where it did not, or there was no file.
	trouble error
}

// watches are the jobs of one loop.
type watches struct {
	byID map[int64]*watch
	// mine reports whether the loop watches jobs with files in a place; "" stands for jobs
	// whose files are not known yet.
	mine func(bridge.RecordingPlace) bool
	// last is the highest id read in this round through the store.
	last int64
}

// watch follows the jobs that are mine until their files are complete. It looks at the
// store after every signal of news, and ends with ctx.
func (c *Courier) watch(ctx context.Context, news <-chan struct{}, mine func(bridge.RecordingPlace) bool) {
	w := &watches{byID: make(map[int64]*watch), mine: mine}
	for {
		c.load(ctx, w)
		c.lookAll(ctx, w)
		wait := c.pace.load
		if len(w.byID) > 0 {
			wait = c.pace.look
		}
		timer := time.NewTimer(wait)
		select {
		case <-news:
		case <-timer.C:
		case <-ctx.Done():
		}
		if timer.Stop(); ctx.Err() != nil {
			return
		}
	}
}

// load takes jobs from the store as far as there is room, in the order of their ids. After
// the last one it begins again with the first.
func (c *Courier) load(ctx context.Context, w *watches) {
	room := mostWatched - len(w.byID)
	if room <= 0 {
		return
	}
	jobs, err := c.jobs.SoughtOrSettling(ctx, w.last, room)
	if !c.stored(ctx, err) {
		return
	}
	now := time.Now()
	for _, job := range jobs {
		w.last = job.ID
		if w.byID[job.ID] != nil || !w.mine(job.File.Place) {
			continue
		}
		one := &watch{job: job, began: now, next: now}
		// A job begins when its channel is gone.
		one.settling.channelGone(now)
		w.byID[job.ID] = one
	}
	if len(jobs) < room {
		w.last = 0
	}
}

// lookAll looks at every job that is due.
func (c *Courier) lookAll(ctx context.Context, w *watches) {
	now := time.Now()
	var due []*watch
	for _, id := range slices.Sorted(maps.Keys(w.byID)) {
		if one := w.byID[id]; !one.next.After(now) {
			due = append(due, one)
		}
	}
	if len(due) == 0 {
		return
	}
	roots := c.open()
	defer roots.close()
	for _, one := range due {
		done := false
		switch one.job.State {
		case bridge.RecordingSought:
			done = c.seek(ctx, roots, one)
		case bridge.RecordingSettling:
			done = c.follow(ctx, roots, one)
		}
		if done {
			delete(w.byID, one.job.ID)
		}
		if ctx.Err() != nil {
			return
		}
	}
}
