package recordings

import (
	"context"
	"errors"
	"os"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

const (
	// storeAtEnd bounds how long the end of the process waits for the store.
	storeAtEnd = 2 * time.Second

	adviceTooLarge = "the CRM takes 100 MB at most: install ffmpeg, or record in a format that takes less, and say `kontur-ari recordings retry`"
)

// uploadOne makes one attempt to upload a recording, and stores its result.
func (c *Courier) uploadOne(ctx context.Context, job bridge.RecordingJob) {
	began := time.Now()
	result := c.send(ctx, job)
	at := time.Now()
	log := c.log.With(append(fileFields(job), zap.Int("attempt", job.Attempts+1))...)
	switch {
	case result.Verdict == bridge.Delivered:
		c.troubles.upload.Over("")
		c.troubles.read.Over("")
		c.counts.uploads.Add(1)
		c.counts.bytes.Add(job.Size)
		log.Info("uploaded", zap.Int64("bytes", job.Size), zap.Duration("took", at.Sub(began)), zap.Int("status", result.Status))
		c.uploaded(ctx, job, result.FileID, at)
		c.discardCopies(job)
		return
	case ctx.Err() != nil:
		return // broken off by the end of the process; the next one repeats it
	case result.Unreadable != nil:
		if job = unreadable(job, result.Unreadable); !errors.Is(result.Unreadable, bridge.ErrChanged) {
			c.troubles.read.Failed("", result.Unreadable.Error(), fileFields(job)...)
		}
	case result.TooLarge && c.shrink(job):
		c.counts.failed.Add(1)
		job.Attempts, job.Reason, job.Due = job.Attempts+1, result.Reason+"; it is made smaller", at
	case result.Verdict == bridge.Refused:
		c.counts.failed.Add(1)
		job.State, job.Attempts, job.Reason = bridge.RecordingRefused, job.Attempts+1, result.Reason
		if result.TooLarge {
			job.Reason += "; " + adviceTooLarge
		}
		log.Error("the CRM refuses a recording for good", zap.Int64("bytes", job.Size), zap.Int("status", result.Status), zap.String("reason", job.Reason))
	default:
		c.counts.failed.Add(1)
		job.Attempts, job.Reason = job.Attempts+1, result.Reason
		job.Due = at.Add(max(c.pauses.After(job.Attempts), result.RetryAfter))
		c.troubles.upload.Failed("", result.Reason, fileFields(job)...)
	}
	for !c.stored(ctx, c.jobs.Keep(ctx, job)) && retry.Sleep(ctx, c.pace.store) == nil {
	}
	if job.State != bridge.RecordingReady {
		c.discardCopies(job)
		c.wakeWatchers()
	}
}

// unreadable returns the next state of a job whose file has changed or can't be read.
func unreadable(job bridge.RecordingJob, err error) bridge.RecordingJob {
	job.Reason = err.Error()
	// It may still be written, so it is followed again.
	job.State = bridge.RecordingSettling
	if errors.Is(err, errOutside) || errors.Is(err, errNoFile) {
		job.State = bridge.RecordingMissing
	}
	return job
}

// uploaded stores that the CRM has a file, which puts the announcement into the outbox. If
// the store fails until the process ends, the next process uploads the file again.
func (c *Courier) uploaded(ctx context.Context, job bridge.RecordingJob, fileID string, at time.Time) {
	for {
		// The end of the process waits for it, but not for long.
		storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeAtEnd)
		call, err := c.jobs.Uploaded(storing, job, fileID, at)
		cancel()
		if errors.Is(err, bridge.ErrNoRecording) {
			c.log.Warn("a recording was uploaded that is not wanted any more", append(fileFields(job), zap.Error(err))...)
			return
		}
		if c.stored(ctx, err) {
			c.outside.Announced(call)
			return
		}
		if retry.Sleep(ctx, c.pace.store) != nil {
			return
		}
	}
}

// discardCopies removes the converted and fetched files of a job that isn't uploaded any more.
func (c *Courier) discardCopies(job bridge.RecordingJob) {
	c.convert.discard(job)
	if inSwitch(job.File.Place) {
		// The next start removes what this leaves.
		_ = os.Remove(c.fetched(job))
	}
	c.sizes.forget(job.ID)
}
