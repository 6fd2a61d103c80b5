package recordings

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

// removedAtOnce is how many files are removed in one round.
const removedAtOnce = 100

// Removes returns the places whose files are removed once the CRM has them. Voicemail
// stays: its users listen to it.
func (c *Courier) Removes() []bridge.RecordingPlace {
	places := []bridge.RecordingPlace{bridge.PlaceOwn}
	if c.config.Keep >= 0 {
		places = append(places, bridge.PlaceMonitor, bridge.PlaceSwitch)
	}
	return places
}

// remove removes files until ctx ends: those that kontur-ari had recorded as soon as the CRM
// has them, others Config.Keep after the CRM took their call-recording.
func (c *Courier) remove(ctx context.Context) {
	for {
		now := time.Now()
		more := c.removeSome(ctx, now, bridge.PlaceOwn)
		if c.config.Keep >= 0 {
			more = c.removeSome(ctx, now.Add(-c.config.Keep), bridge.PlaceMonitor, bridge.PlaceSwitch) || more
		}
		if !more && retry.Sleep(ctx, c.pace.remove) != nil || ctx.Err() != nil {
			return
		}
	}
}

// removeSome removes files of some places that the CRM took before a moment. It returns
// true where all went well and there may be more.
func (c *Courier) removeSome(ctx context.Context, before time.Time, places ...bridge.RecordingPlace) (more bool) {
	jobs, err := c.jobs.AnnouncedBefore(ctx, before, places, removedAtOnce)
	if !c.stored(ctx, err) || len(jobs) == 0 {
		return false
	}
	return c.removeAll(ctx, jobs) && len(jobs) == removedAtOnce
}

// removeAll removes the files of some jobs, and returns whether that went well. Jobs of
// files that can't be removed now stay for the next round. A file that has changed since
// its upload is not removed.
func (c *Courier) removeAll(ctx context.Context, jobs []bridge.RecordingJob) (well bool) {
	roots := c.open()
	defer roots.close()
	well = true
	for _, job := range jobs {
		err := c.removeFile(ctx, roots, job)
		switch {
		case err == nil:
			c.log.Debug("removed a recording that the CRM has", fileFields(job)...)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, bridge.ErrNoStoredRecording):
		case errors.Is(err, bridge.ErrChanged), errors.Is(err, errOutside), errors.Is(err, errNoFile):
			c.log.Warn("a recording that the CRM has is another by now; it stays", append(fileFields(job), zap.Error(err))...)
		case ctx.Err() != nil:
			return false
		default:
			c.troubles.remove.Failed("", err.Error(), fileFields(job)...)
			well = false
			continue
		}
		if !c.stored(ctx, c.jobs.Removed(ctx, job)) {
			return false
		}
	}
	if well {
		c.troubles.remove.Over("")
	}
	return well
}

// removeFile removes a file. It returns [bridge.ErrChanged] where the file isn't the one
// that was uploaded.
func (c *Courier) removeFile(ctx context.Context, roots fileRoots, job bridge.RecordingJob) error {
	if inSwitch(job.File.Place) {
		limited, cancel := context.WithTimeout(ctx, fetchTime)
		defer cancel()
		return c.outside.Stored.DeleteRecording(limited, storedName(job.File.Name))
	}
	content, info, err := openFile(roots, job.File)
	if err != nil {
		return err
	}
	if err := content.Close(); err != nil {
		return err
	}
	if info.Size() != job.Size || !info.ModTime().Equal(job.Modified) {
		return bridge.ErrChanged
	}
	root, err := roots.in(job.File.Place)
	if err != nil {
		return err
	}
	return root.Remove(job.File.Name)
}
