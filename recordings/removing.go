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
// call-recording, until ctx ends.
func (c *Courier) remove(ctx context.Context) {
	for {
		jobs, err := c.jobs.ToldBefore(ctx, time.Now().Add(-c.config.Keep), removedAtOnce)
		if c.stored(ctx, err) && len(jobs) > 0 {
			c.removeAll(ctx, jobs)
		}
		if len(jobs) < removedAtOnce && !pause(ctx, removeEvery) || ctx.Err() != nil {
			return
		}
	}
}

func (c *Courier) removeAll(ctx context.Context, jobs []bridge.RecordingJob) {
	open := c.open()
	defer open.close()
	for _, job := range jobs {
		err := removeFile(open, job)
		switch {
		case err == nil:
			c.log.Debug("removed a recording that the CRM has", fileFields(job)...)
		case errors.Is(err, fs.ErrNotExist):
		default:
			c.log.Warn("a recording that the CRM has can't be removed; it stays", append(fileFields(job), zap.Error(err))...)
		}
		if !c.stored(ctx, c.jobs.Removed(ctx, job)) {
			return
		}
	}
}

// removeFile removes a file, if it still is the one that was uploaded.
func removeFile(open folders, job bridge.RecordingJob) error {
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
