package recordings

import (
	"context"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// seek looks for the recordings of a channel. It returns true when the job needs no further
// look.
func (c *Courier) seek(ctx context.Context, roots fileRoots, one *watch) bool {
	found := c.find(roots, &one.job.Recorded)
	unreadable := roots.failed
	patience := c.config.Patience.Named
	if found.reported || unreadable != nil {
		patience = c.config.Patience.Appear
	}
	all := len(found.files) > 0 && len(found.missing) == 0
	if !all && time.Since(one.began) < patience {
		// 0.5, 1, 2, 4 and then 5 seconds, at the usual pace.
		one.next = time.Now().Add(min(c.pace.look<<min(one.tries, 4), c.pace.load))
		one.tries++
		return false
	}
	if len(found.files) == 0 && !found.reported && unreadable != nil {
		// There may be some, so the job stays: an operator can put it back.
		job := one.job
		job.State, job.Reason = bridge.RecordingMissing, unreadable.Error()
		return c.concluded(ctx, job)
	}
	if !c.stored(ctx, c.jobs.Found(ctx, one.job, found.files, found.missing)) {
		return false
	}
	for _, file := range found.files {
		c.log.Debug("found a recording", append(jobFields(one.job), zap.String("file", file.Name))...)
	}
	for _, file := range found.missing {
		c.log.Warn("a recording that Asterisk told of is not there", append(jobFields(one.job), zap.String("file", file.Name))...)
	}
	if len(found.files) > 0 {
		c.wakeWatchers()
	}
	return true
}
