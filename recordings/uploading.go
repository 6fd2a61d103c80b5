package recordings

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"kontur-ari/bridge"
)

const (
	// reachEvery is the pause between two looks whether the CRM can be reached again.
	reachEvery = time.Second
	// idle is the longest pause between two looks for something to upload.
	idle = 5 * time.Second
	// storePause is the pause before the store is asked again for what must not be lost.
	storePause = time.Second
	// keepWithin bounds what an end of the process waits for the store.
	keepWithin = 2 * time.Second
	// readAtOnce bounds what is read of a file at once where the rate is limited: an
	// upload of which nothing moves for long is broken off.
	readAtOnce = 16 << 10
)

// upload uploads what is ready, Config.Uploads files at a time, until ctx ends.
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
			c.bring(ctx, job)
			c.release(job)
			free <- struct{}{}
			// It may be due again, and others may have become so.
			nudge(c.uploading)
		})
	}
}

// nextUpload waits for a job whose turn it is; false when ctx ends before.
func (c *Courier) nextUpload(ctx context.Context) (bridge.RecordingJob, bool) {
	for ctx.Err() == nil {
		wait := idle
		if !c.outside.Reachable() {
			wait = reachEvery
		} else if due, next, err := c.due(ctx); c.stored(ctx, err) {
			for _, job := range due {
				if c.claim(job) {
					return job, true
				}
			}
			if !next.IsZero() {
				wait = min(wait, max(time.Until(next), lookEvery))
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-c.uploading:
		case <-timer.C:
		}
		timer.Stop()
	}
	return bridge.RecordingJob{}, false
}

// due asks the store what is to be uploaded, for one goroutine.
func (c *Courier) due(ctx context.Context) ([]bridge.RecordingJob, time.Time, error) {
	c.mu.Lock()
	clear(c.past)
	// Those that are being uploaded are ready as well.
	limit := c.config.Uploads + len(c.busy)
	c.mu.Unlock()
	return c.jobs.DueUploads(ctx, time.Now(), limit)
}

// claim takes a job that is due; false where it is being uploaded, or was meanwhile.
func (c *Courier) claim(job bridge.RecordingJob) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[job.ID] || c.past[job.ID] {
		return false
	}
	c.busy[job.ID] = true
	return true
}

// release gives a job back, once it is kept how its upload ended.
func (c *Courier) release(job bridge.RecordingJob) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, job.ID)
	c.past[job.ID] = true
}

// settled lets go of what was made for a job that is not uploaded any more.
func (c *Courier) settled(job bridge.RecordingJob) {
	c.convert.forget(job)
	if inSwitch(job.File.Place) {
		// What stays is removed at the next start.
		_ = os.Remove(c.fetched(job))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.smaller, job.ID)
}

// bring uploads a recording and keeps how that ended.
func (c *Courier) bring(ctx context.Context, job bridge.RecordingJob) {
	began := time.Now()
	result := c.send(ctx, job)
	at := time.Now()
	log := c.log.With(append(fileFields(job), zap.Int("attempt", job.Attempts+1))...)
	switch {
	case result.Verdict == bridge.Delivered:
		c.trouble.over(uploadTrouble, "recordings are uploaded again")
		c.counts.uploads.Add(1)
		c.counts.bytes.Add(job.Size)
		log.Info("uploaded", zap.Int64("bytes", job.Size), zap.Duration("took", at.Sub(began)), zap.Int("status", result.Status))
		c.uploaded(ctx, job, result.FileID, at)
		c.settled(job)
		return
	case ctx.Err() != nil:
		return // broken off by the end: it is begun anew by the next process
	case result.Unreadable != nil:
		if job = unreadable(job, result.Unreadable); !errors.Is(result.Unreadable, bridge.ErrChanged) {
			c.trouble.because("recordings can't be read; they are looked at again", result.Unreadable.Error(), fileFields(job)...)
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
		job.Due = at.Add(max(c.pauseAfter(job.Attempts), result.RetryAfter))
		c.trouble.because(uploadTrouble, result.Reason, fileFields(job)...)
	}
	for !c.stored(ctx, c.jobs.Keep(ctx, job)) && pause(ctx, storePause) {
	}
	if job.State != bridge.RecordingReady {
		c.settled(job)
		c.lookAgain()
	}
}

const (
	uploadTrouble  = "recordings can't be uploaded; they wait"
	adviceTooLarge = "the CRM takes 100 MB at most: install ffmpeg, or record in a format that takes less, and say `kontur-ari recordings retry`"
)

// unreadable is what becomes of a job whose file can't be read as it was found to be.
func unreadable(job bridge.RecordingJob, err error) bridge.RecordingJob {
	job.Reason = err.Error()
	// Somebody still works on it, or it can't be read for a while: it is looked at until it is
	// still.
	job.State = bridge.RecordingSettling
	if errors.Is(err, ErrOutside) || errors.Is(err, ErrNoFile) {
		job.State = bridge.RecordingMissing
	}
	return job
}

// uploaded keeps that the CRM has a file, and is to be told of it. What can't be kept is
// uploaded again by the next process.
func (c *Courier) uploaded(ctx context.Context, job bridge.RecordingJob, fileID string, at time.Time) {
	for {
		// An end waits a moment for it.
		keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepWithin)
		call, err := c.jobs.Uploaded(keeping, job, fileID, at)
		cancel()
		if errors.Is(err, bridge.ErrNoRecording) {
			c.log.Warn("a recording was uploaded that is not wanted any more", append(fileFields(job), zap.Error(err))...)
			return
		}
		if c.stored(ctx, err) {
			c.outside.Told(call)
			return
		}
		if !pause(ctx, storePause) {
			return
		}
	}
}

// pauseAfter is the pause after so many failures in a row.
func (c *Courier) pauseAfter(failures int) time.Duration {
	pause := c.config.FirstPause
	for ; failures > 1 && pause < c.config.LongestPause; failures-- {
		pause *= 2
	}
	pause = min(pause, c.config.LongestPause)
	return pause/2 + rand.N(pause/2+1)
}

// send makes one upload.
func (c *Courier) send(ctx context.Context, job bridge.RecordingJob) bridge.UploadResult {
	open := c.open()
	defer open.close()
	if rate := c.rateOf(job); rate != 0 {
		upload, err := c.converted(ctx, open, job, rate)
		switch {
		case err == nil:
			c.trouble.over(conversionTrouble, "recordings are converted again")
			return c.uploader.UploadFile(ctx, upload)
		case ctx.Err() != nil:
			return bridge.UploadResult{Verdict: bridge.Retry, Reason: ctx.Err().Error()}
		case errors.Is(err, bridge.ErrChanged), errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errConversion), errors.Is(err, bridge.ErrNoStoredRecording):
			return bridge.UploadResult{Verdict: bridge.Retry, Unreadable: err, Reason: err.Error()}
		case errors.Is(err, errConversion):
			c.trouble.because(conversionTrouble, err.Error(), fileFields(job)...)
			c.leaveAsItIs(job)
		}
	}
	return c.uploader.UploadFile(ctx, bridge.Upload{
		Name: path.Base(job.File.Name), ContentType: contentType(job.File.Name), Size: job.Size,
		Open: func() (io.ReadCloser, error) {
			content, err := c.openUnchanged(ctx, open, job)
			if err != nil {
				return nil, err
			}
			return c.limited(ctx, content), nil
		},
	})
}

const conversionTrouble = "recordings can't be converted; they are uploaded as they are"

// rateOf is how a recording is to be converted; 0 for not at all.
func (c *Courier) rateOf(job bridge.RecordingJob) bitRate {
	c.mu.Lock()
	defer c.mu.Unlock()
	rate := c.smaller[job.ID]
	if rate == asItIs {
		return 0
	}
	if rate == 0 && (c.config.Conversion.Always || job.Size > largestFile) {
		rate = usualRate
	}
	return rate
}

// leaveAsItIs has a recording uploaded as it is from now on: converting it has failed, and
// takes long.
func (c *Courier) leaveAsItIs(job bridge.RecordingJob) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.smaller[job.ID] = asItIs
}

// shrink has a recording that the CRM found too large made smaller for the next upload;
// false where it can't be.
func (c *Courier) shrink(job bridge.RecordingJob) bool {
	tried := c.rateOf(job)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, can := c.convert.command(path.Ext(job.File.Name), lowRate); !can || tried == lowRate || c.smaller[job.ID] == asItIs {
		return false
	}
	if c.smaller[job.ID] = usualRate; tried == usualRate {
		c.smaller[job.ID] = lowRate
	}
	return true
}

// converted is the upload of an MP3 of a recording.
func (c *Courier) converted(ctx context.Context, open folders, job bridge.RecordingJob, rate bitRate) (bridge.Upload, error) {
	content, err := c.openUnchanged(ctx, open, job)
	if err != nil {
		return bridge.Upload{}, err
	}
	defer content.Close()
	result, err := c.convert.convert(ctx, job, content, rate)
	if err == nil {
		// It takes its time, and the recording may have changed meanwhile.
		err = c.unchanged(ctx, open, job)
	}
	if err != nil {
		return bridge.Upload{}, err
	}
	info, err := os.Stat(result)
	if err != nil {
		return bridge.Upload{}, err
	}
	name := path.Base(job.File.Name)
	return bridge.Upload{
		Name: strings.TrimSuffix(name, path.Ext(name)) + ".mp3", ContentType: contentTypes[".mp3"], Size: info.Size(),
		Open: func() (io.ReadCloser, error) {
			if err := c.unchanged(ctx, open, job); err != nil {
				return nil, err
			}
			file, err := os.Open(result)
			if err != nil {
				return nil, err
			}
			return c.limited(ctx, file), nil
		},
	}, nil
}

// unchanged is an error where a recording is not as it was found to be whole.
func (c *Courier) unchanged(ctx context.Context, open folders, job bridge.RecordingJob) error {
	content, err := c.openUnchanged(ctx, open, job)
	if err != nil {
		return err
	}
	return content.Close()
}

// openUnchanged opens a recording, if it still is as it was found to be whole.
func (c *Courier) openUnchanged(ctx context.Context, open folders, job bridge.RecordingJob) (*os.File, error) {
	if inSwitch(job.File.Place) {
		return c.openFetched(ctx, job)
	}
	content, info, err := openFile(open, job.File)
	if err != nil {
		return nil, err
	}
	if info.Size() != job.Size || !info.ModTime().Equal(job.Modified) {
		return nil, errors.Join(bridge.ErrChanged, content.Close())
	}
	return content, nil
}

// limited is a file that is read no faster than the uploads together may go.
func (c *Courier) limited(ctx context.Context, file *os.File) io.ReadCloser {
	if c.limit == nil {
		return file
	}
	return &slowReader{file, ctx, c.limit}
}

type slowReader struct {
	*os.File
	ctx   context.Context
	limit *rate.Limiter
}

func (s *slowReader) Read(into []byte) (int, error) {
	into = into[:min(len(into), readAtOnce)]
	if err := s.limit.WaitN(s.ctx, len(into)); err != nil {
		return 0, err
	}
	return s.File.Read(into)
}

// contentTypes are those of the endings of names (IANA media types, and what is in use
// for those that have none).
var contentTypes = map[string]string{
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".m4a": "audio/mp4", ".flac": "audio/flac",
	".wav": "audio/wav", ".WAV": "audio/wav", ".wav49": "audio/wav", ".wav16": "audio/wav", ".gsm": "audio/x-gsm",
}

func contentType(name string) string {
	if known, ok := contentTypes[path.Ext(name)]; ok {
		return known
	}
	return "application/octet-stream"
}
