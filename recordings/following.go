package recordings

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// follow checks whether a recording is complete. It returns true when the job needs no
// further check.
func (c *Courier) follow(ctx context.Context, roots fileRoots, one *watch) bool {
	if inSwitch(one.job.File.Place) {
		return c.followFetched(ctx, one)
	}
	if one.job.File.Place == bridge.PlaceVoicemail && !roots.leftBy(one.job) {
		return c.followMoved(ctx, roots, one)
	}
	job := one.job
	seen, modified, err := observe(roots, job.File)
	switch {
	case errors.Is(err, errOutside), errors.Is(err, errNoFile):
		job.State, job.Reason = bridge.RecordingMissing, err.Error()
		return c.concluded(ctx, job)
	case err != nil:
		one.trouble = err
	case !seen.There && job.File.Place == bridge.PlaceVoicemail && len(job.Recorded.Name) > 0:
		return c.followMoved(ctx, roots, one)
	case !seen.There:
		if other, found := roots.like(job.File.Place, job.File.Name); found && other != job.File.Name {
			// A command that ran after the recording has changed its ending.
			one.job.File.Name = other
			c.stored(ctx, c.jobs.Keep(ctx, one.job))
			return false
		}
	default:
		one.trouble = nil
	}
	return c.conclude(ctx, one, one.settling.see(seen, c.config.Patience), seen, modified)
}

// followMoved looks for a voicemail message whose name now belongs to another one. Asterisk
// renumbers messages when one is deleted or heard.
func (c *Courier) followMoved(ctx context.Context, roots fileRoots, one *watch) bool {
	var found findings
	if c.findMessages(roots, &one.job.Recorded, &found); len(found.files) > 0 {
		one.job.File, one.settling = found.files[0], settling{}
		one.settling.channelGone(one.began)
		c.stored(ctx, c.jobs.Keep(ctx, one.job))
		return false
	}
	nothing := observation{At: time.Now()}
	return c.conclude(ctx, one, one.settling.see(nothing, c.config.Patience), nothing, time.Time{})
}

// followFetched copies a recording from the switch, which lists it once it is complete.
func (c *Courier) followFetched(ctx context.Context, one *watch) bool {
	seen, modified, err := c.fetch(ctx, one.job)
	switch {
	case errors.Is(err, bridge.ErrNoStoredRecording):
	case err != nil:
		if ctx.Err() == nil {
			one.trouble = err
			c.troubles.fetch.Failed("", err.Error(), fileFields(one.job)...)
		}
		c.putOff(one)
		return false
	default:
		one.trouble = nil
		c.troubles.fetch.Over("")
	}
	state := one.settling.see(seen, c.config.Patience)
	if seen.There && (!seen.Sound.Wave || seen.Sound.Whole) && !seen.Sound.Silent {
		state = stateReady
	}
	if state == stateWaiting {
		c.putOff(one)
		return false
	}
	return c.conclude(ctx, one, state, seen, modified)
}

// putOff postpones the next look at a recording of the switch, each time for longer: every
// look transfers the whole file.
func (c *Courier) putOff(one *watch) {
	one.next = time.Now().Add(min(c.pace.look<<min(one.tries, 6), c.pace.fetch))
	one.tries++
}

// conclude turns a final state into the next state of the job. It returns true when the job
// needs no further look.
func (c *Courier) conclude(ctx context.Context, one *watch, state fileState, seen observation, modified time.Time) bool {
	job := one.job
	switch state {
	case stateWaiting:
		one.next = time.Now().Add(c.pace.look)
		return false
	case stateMissing:
		job.State, job.Reason = bridge.RecordingMissing, "there is no such file"
		if one.trouble != nil {
			job.Reason = one.trouble.Error()
		}
	case stateSilent:
		job.State, job.Reason = bridge.RecordingEmpty, "there is no sound in it"
	case stateTorn:
		c.log.Warn("the header of a recording is wrong, as after a crash of Asterisk; it is uploaded as it is", fileFields(job)...)
		fallthrough
	case stateReady:
		job.State, job.Size, job.Modified, job.Attempts, job.Reason = bridge.RecordingReady, seen.Size, modified, 0, ""
		job.Due = seen.At
	}
	return c.concluded(ctx, job)
}

// concluded stores and logs the new state of a job.
func (c *Courier) concluded(ctx context.Context, job bridge.RecordingJob) bool {
	if !c.stored(ctx, c.jobs.Keep(ctx, job)) {
		return false
	}
	switch job.State {
	case bridge.RecordingMissing:
		c.log.Warn("a recording can't be had", append(fileFields(job), zap.String("reason", job.Reason))...)
	case bridge.RecordingEmpty:
		c.log.Debug("a recording is empty", fileFields(job)...)
	case bridge.RecordingReady:
		wake(c.wakeups.uploads)
	}
	return true
}

// observe looks at a file. That it doesn't exist is no error.
func observe(roots fileRoots, file bridge.RecordingFile) (seen observation, modified time.Time, err error) {
	seen.At = time.Now()
	content, info, err := openFile(roots, file)
	if errors.Is(err, fs.ErrNotExist) {
		return seen, modified, nil
	}
	if err != nil {
		return seen, modified, err
	}
	defer content.Close()
	seen.There, seen.Size = true, info.Size()
	seen.Sound, err = readSound(content, info.Size())
	return seen, info.ModTime(), err
}

// openFile opens a recording below its directory, and returns its size and time.
func openFile(roots fileRoots, file bridge.RecordingFile) (*os.File, os.FileInfo, error) {
	root, err := roots.in(file.Place)
	if err != nil {
		return nil, nil, err
	}
	content, err := root.Open(file.Name)
	if err != nil {
		return nil, nil, err
	}
	info, err := content.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, content.Close())
	}
	return content, info, nil
}
