package recordings

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

const (
	// removeEvery is the pause between two looks for files that may go.
	removeEvery = 2 * time.Second
	// removedAtOnce is how many go in one look.
	removedAtOnce = 100
)

// remove removes the files that the CRM has, Config.Keep after it took their
// call-recording, and those that were made for us at once, until ctx ends. Messages stay:
// mailboxes are Asterisk's, and their users listen to them.
func (c *Courier) remove(ctx context.Context) {
	for {
		now := time.Now()
		whole := c.removeSome(ctx, now, bridge.PlaceMade)
		if c.config.Keep >= 0 {
			whole = c.removeSome(ctx, now.Add(-c.config.Keep), bridge.PlaceMonitor, bridge.PlaceSwitch) && whole
		}
		if whole && !pause(ctx, removeEvery) || ctx.Err() != nil {
			return
		}
	}
}

// removeSome removes files in some places that the CRM has had since before a moment; false
// where there are more.
func (c *Courier) removeSome(ctx context.Context, before time.Time, places ...bridge.RecordingPlace) (whole bool) {
	jobs, err := c.jobs.ToldBefore(ctx, before, places, removedAtOnce)
	if c.stored(ctx, err) && len(jobs) > 0 {
		c.removeAll(ctx, jobs)
	}
	return len(jobs) < removedAtOnce
}

func (c *Courier) removeAll(ctx context.Context, jobs []bridge.RecordingJob) {
	open := c.open()
	defer open.close()
	for _, job := range jobs {
		err := c.removeFile(ctx, open, job)
		switch {
		case err == nil:
			c.log.Debug("removed a recording that the CRM has", fileFields(job)...)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, bridge.ErrNoStoredRecording):
		case ctx.Err() != nil:
			return
		default:
			c.log.Warn("a recording that the CRM has can't be removed; it stays", append(fileFields(job), zap.Error(err))...)
		}
		if !c.stored(ctx, c.jobs.Removed(ctx, job)) {
			return
		}
	}
}

// removeFile removes a file, if it still is the one that was uploaded.
func (c *Courier) removeFile(ctx context.Context, open folders, job bridge.RecordingJob) error {
	if inSwitch(job.File.Place) {
		limited, cancel := context.WithTimeout(ctx, fetchTime)
		defer cancel()
		return c.outside.Stored.DeleteRecording(limited, storedName(job.File.Name))
	}
	content, info, err := openFile(open, job.File)
	if err != nil {
		return err
	}
	if err := content.Close(); err != nil {
		return err
	}
	if info.Size() != job.Size || !info.ModTime().Equal(job.Modified) {
		return errors.New("it was changed since")
	}
	folder, err := open.in(job.File.Place)
	if err != nil {
		return err
	}
	return folder.Remove(job.File.Name)
}
