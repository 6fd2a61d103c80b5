package recordings

import (
	"context"
	"sync"
	"time"

	"kontur-ari/bridge"
)

// upload uploads due recordings, Config.Uploads at the same time, until ctx ends.
func (c *Courier) upload(ctx context.Context) {
	var uploads sync.WaitGroup
	defer uploads.Wait()
	free := make(chan struct{}, c.config.Uploads)
	for range c.config.Uploads {
		free <- struct{}{}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-free:
		}
		job, ok := c.nextUpload(ctx)
		if !ok {
			return
		}
		uploads.Go(func() {
			c.uploadOne(ctx, job)
			c.uploads.release(job.ID)
			free <- struct{}{}
			// The job may be due again, or others may be.
			wake(c.wakeups.uploads)
		})
	}
}

// nextUpload waits for a due job and claims it; false when ctx ends first.
func (c *Courier) nextUpload(ctx context.Context) (bridge.RecordingJob, bool) {
	for ctx.Err() == nil {
		wait := c.pace.upload
		if !c.outside.Reachable() {
			wait = c.pace.reach
		} else if due, next, err := c.due(ctx); c.stored(ctx, err) {
			for _, job := range due {
				if c.uploads.claim(job.ID) {
					return job, true
				}
			}
			if !next.IsZero() {
				wait = min(wait, max(time.Until(next), c.pace.look))
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-c.wakeups.uploads:
		case <-timer.C:
		}
		timer.Stop()
	}
	return bridge.RecordingJob{}, false
}

// due asks the store for due jobs, and for the time at which the next one is due. Only the
// loop of upload calls it.
func (c *Courier) due(ctx context.Context) ([]bridge.RecordingJob, time.Time, error) {
	// The store also returns the jobs that are being uploaded.
	limit := c.config.Uploads + c.uploads.beginQuery()
	return c.jobs.DueUploads(ctx, time.Now(), limit)
}

// uploadClaims prevent that a job is uploaded twice at the same time. They may be used
// concurrently.
type uploadClaims struct {
	mu *sync.Mutex
	// claimed are the ids of jobs that are being uploaded.
	claimed map[int64]bool
	// released are those released since the last query began. Its result may still show
	// their old state.
	released map[int64]bool
}

func newUploadClaims() uploadClaims {
	return uploadClaims{mu: new(sync.Mutex), claimed: make(map[int64]bool), released: make(map[int64]bool)}
}

// beginQuery returns how many jobs are claimed, before the store is asked for due jobs.
func (u uploadClaims) beginQuery() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.released)
	return len(u.claimed)
}

// claim claims a due job; false where it is being uploaded, or was since the query began.
func (u uploadClaims) claim(id int64) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.claimed[id] || u.released[id] {
		return false
	}
	u.claimed[id] = true
	return true
}

// release ends a claim. Call it after the store has the result of the upload.
func (u uploadClaims) release(id int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.claimed, id)
	u.released[id] = true
}

func (u uploadClaims) running() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.claimed)
}
