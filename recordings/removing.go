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

// Removes are the places whose files are removed once the CRM has them. Messages stay:
// mailboxes are Asterisk's, and their users listen to them.
func (c *Courier) Removes() []bridge.RecordingPlace {
	places := []bridge.RecordingPlace{bridge.PlaceMade}
	if c.config.Keep >= 0 {
		places = append(places, bridge.PlaceMonitor, bridge.PlaceSwitch)
	}
	return places
}

// remove removes the files that the CRM has, Config.Keep after it took their
// call-recording, and those that were made for us at once, until ctx ends.
func (c *Courier) remove(ctx context.Context) {
	for {
		now := time.Now()
		more := c.removeSome(ctx, now, bridge.PlaceMade)
		if c.config.Keep >= 0 {
			more = c.removeSome(ctx, now.Add(-c.config.Keep), bridge.PlaceMonitor, bridge.PlaceSwitch) || more
		}
		if !more && !pause(ctx, removeEvery) || ctx.Err() != nil {
			return
		}
	}
}

// removeSome removes files in some places that the CRM has had since before a moment, and
// tells whether there are more and all went well.
func (c *Courier) removeSome(ctx context.Context, before time.Time, places ...bridge.RecordingPlace) (more bool) {
	jobs, err := c.jobs.ToldBefore(ctx, before, places, removedAtOnce)
	if !c.stored(ctx, err) || len(jobs) == 0 {
		return false
	}
	return c.removeAll(ctx, jobs) && len(jobs) == removedAtOnce
}

// removeAll removes the files of some jobs, and tells whether that went well. What can't be
// removed now is tried again; what is another file by now stays.
func (c *Courier) removeAll(ctx context.Context, jobs []bridge.RecordingJob) (well bool) {
	open := c.open()
	defer open.close()
	well = true
	for _, job := range jobs {
		err := c.removeFile(ctx, open, job)
		switch {
		case err == nil:
			c.log.Debug("removed a recording that the CRM has", fileFields(job)...)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, bridge.ErrNoStoredRecording):
		case errors.Is(err, bridge.ErrChanged), errors.Is(err, ErrOutside), errors.Is(err, ErrNoFile):
			c.log.Warn("a recording that the CRM has is another by now; it stays", append(fileFields(job), zap.Error(err))...)
		case ctx.Err() != nil:
			return false
		default:
			c.trouble.because(removalTrouble, err.Error(), fileFields(job)...)
			well = false
			continue
		}
		if !c.stored(ctx, c.jobs.Removed(ctx, job)) {
			return false
		}
	}
	if well {
		c.trouble.over(removalTrouble, "recordings that the CRM has can be removed again")
	}
	return well
}

const removalTrouble = "recordings that the CRM has can't be removed; it is tried again"

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
		return bridge.ErrChanged
	}
	folder, err := open.in(job.File.Place)
	if err != nil {
		return err
	}
	return folder.Remove(job.File.Name)
}
