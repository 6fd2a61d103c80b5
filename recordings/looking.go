package recordings

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

const (
	// mostLooked is how many jobs are looked after at a time; others wait on disk.
	mostLooked = 1024
	// lookEvery is the pause between two looks at a file.
	lookEvery = 500 * time.Millisecond
	// loadEvery is the longest pause between two looks at the store, for jobs that
	// somebody has put back.
	loadEvery = 5 * time.Second
	// mostPutOff is the longest pause between two tries to fetch a recording.
	mostPutOff = 30 * time.Second
)

// watch is a job that is looked after.
type watch struct {
	job      bridge.RecordingJob
	settling Settling
	// began is when it was first looked at, next when it is to be again, tries how often
	// it was.
	began, next time.Time
	tries       int
	// trouble is why the file can't be looked at; nil where it can, or is not there.
	trouble error
}

// watches are the jobs that are looked after, for one goroutine.
type watches struct {
	byID map[int64]*watch
	// mine tells whether jobs with files in a place are among them; "" for those whose
	// files are looked for.
	mine func(bridge.RecordingPlace) bool
	// last is the id up to which jobs were read in this round.
	last int64
}

// look looks for recordings and follows them until they are whole, until ctx ends: those
// that are mine, and whenever there is news of them.
func (c *Courier) look(ctx context.Context, news <-chan struct{}, mine func(bridge.RecordingPlace) bool) {
	w := &watches{byID: make(map[int64]*watch), mine: mine}
	for {
		c.load(ctx, w)
		c.lookAll(ctx, w)
		wait := loadEvery
		if len(w.byID) > 0 {
			wait = lookEvery
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

// load takes up jobs from the store as far as there is room, those with the lowest ids
// first, and begins anew behind the last.
func (c *Courier) load(ctx context.Context, w *watches) {
	room := mostLooked - len(w.byID)
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
		// There is no job before its channel is gone.
		one.settling.ChannelGone(now)
		w.byID[job.ID] = one
	}
	if len(jobs) < room {
		w.last = 0
	}
}

// stored tells whether the store did what it was asked for, and logs where that changes.
func (c *Courier) stored(ctx context.Context, err error) bool {
	const what = "the jobs of recordings can't be read or written"
	if err == nil {
		c.trouble.over(what, "the jobs of recordings can be read and written again")
	} else if ctx.Err() == nil && !errors.Is(err, bridge.ErrStoreDamaged) {
		c.trouble.because(what, err.Error())
	}
	return err == nil
}

// lookAll looks at every job whose time has come.
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
	open := c.open()
	defer open.close()
	for _, one := range due {
		done := false
		switch one.job.State {
		case bridge.RecordingSought:
			done = c.seek(ctx, open, one)
		case bridge.RecordingSettling:
			done = c.settle(ctx, open, one)
		}
		if done {
			delete(w.byID, one.job.ID)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// seek looks for the recordings of a channel; true when it needs not be done again.
func (c *Courier) seek(ctx context.Context, open folders, one *watch) bool {
	found := c.find(open, &one.job.Recorded)
	unreadable := open.unreadable()
	patience := c.config.Patience.Named
	if found.told || unreadable != nil {
		patience = c.config.Patience.Appear
	}
	all := len(found.files) > 0 && len(found.missing) == 0
	if !all && time.Since(one.began) < patience {
		// 0.5, 1, 2, 4 seconds and so on.
		one.next = time.Now().Add(min(lookEvery<<min(one.tries, 4), loadEvery))
		one.tries++
		return false
	}
	if len(found.files) == 0 && !found.told && unreadable != nil {
		// It is not known whether there are any: a person may have it looked for again.
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
		c.lookAgain()
	}
	return true
}

// conclude looks whether a recording is whole; true when it needs not be done again.
func (c *Courier) settle(ctx context.Context, open folders, one *watch) bool {
	if inSwitch(one.job.File.Place) {
		return c.settleFetched(ctx, one)
	}
	if one.job.File.Place == bridge.PlaceVoicemail && !open.leftBy(one.job) {
		return c.settleMoved(ctx, open, one)
	}
	job := one.job
	seen, modified, err := observe(open, job.File)
	switch {
	case errors.Is(err, ErrOutside), errors.Is(err, ErrNoFile):
		job.State, job.Reason = bridge.RecordingMissing, err.Error()
		return c.concluded(ctx, job)
	case err != nil:
		one.trouble = err
	case !seen.There && job.File.Place == bridge.PlaceVoicemail && len(job.Recorded.Name) > 0:
		return c.settleMoved(ctx, open, one)
	case !seen.There:
		if other, found := open.like(job.File.Place, job.File.Name); found && other != job.File.Name {
			// What was done to it has given it another ending.
			one.job.File.Name = other
			c.stored(ctx, c.jobs.Keep(ctx, one.job))
			return false
		}
	default:
		one.trouble = nil
	}
	return c.conclude(ctx, one, one.settling.See(seen, c.config.Patience), seen, modified)
}

// settleMoved looks for a message whose name is another's by now: when one is deleted, or
// heard, Asterisk gives the others new numbers.
func (c *Courier) settleMoved(ctx context.Context, open folders, one *watch) bool {
	var found findings
	if c.findMessages(open, &one.job.Recorded, &found); len(found.files) > 0 {
		one.job.File, one.settling = found.files[0], Settling{}
		one.settling.ChannelGone(one.began)
		c.stored(ctx, c.jobs.Keep(ctx, one.job))
		return false
	}
	nothing := Observation{At: time.Now()}
	return c.conclude(ctx, one, one.settling.See(nothing, c.config.Patience), nothing, time.Time{})
}

// settleFetched fetches a recording from the switch, which tells of it when it is whole.
func (c *Courier) settleFetched(ctx context.Context, one *watch) bool {
	seen, modified, err := c.fetch(ctx, one.job)
	switch {
	case errors.Is(err, bridge.ErrNoStoredRecording):
	case err != nil:
		if ctx.Err() == nil {
			one.trouble = err
			c.trouble.because("recordings can't be fetched from Asterisk", err.Error(), fileFields(one.job)...)
		}
		one.putOff()
		return false
	default:
		one.trouble = nil
		c.trouble.over("recordings can't be fetched from Asterisk", "recordings can be fetched from Asterisk again")
	}
	state := one.settling.See(seen, c.config.Patience)
	if seen.There && (!seen.Sound.Wave || seen.Sound.Whole) && !seen.Sound.Silent {
		state = Ready
	}
	if state == Waiting {
		// The whole of it is fetched each time.
		one.putOff()
		return false
	}
	return c.conclude(ctx, one, state, seen, modified)
}

// putOff has a recording of the switch looked at again after a pause that grows.
func (w *watch) putOff() {
	w.next = time.Now().Add(min(lookEvery<<min(w.tries, 6), mostPutOff))
	w.tries++
}

// conclude draws the conclusion from how far a recording is; true where it needs not be
// looked at again.
func (c *Courier) conclude(ctx context.Context, one *watch, state State, seen Observation, modified time.Time) bool {
	job := one.job
	switch state {
	case Waiting:
		one.next = time.Now().Add(lookEvery)
		return false
	case Missing:
		job.State, job.Reason = bridge.RecordingMissing, "there is no such file"
		if one.trouble != nil {
			job.Reason = one.trouble.Error()
		}
	case Silent:
		job.State, job.Reason = bridge.RecordingEmpty, "there is no sound in it"
	case Torn:
		c.log.Warn("the header of a recording is wrong, as after a crash of Asterisk; it is uploaded as it is", fileFields(job)...)
		fallthrough
	case Ready:
		job.State, job.Size, job.Modified, job.Attempts, job.Reason = bridge.RecordingReady, seen.Size, modified, 0, ""
		job.Due = seen.At
	}
	return c.concluded(ctx, job)
}

// concluded keeps what has become of a file that was looked at, and tells of it.
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
		nudge(c.uploading)
	}
	return true
}

// observe looks at a file. One that is not there is no error.
func observe(open folders, file bridge.RecordingFile) (seen Observation, modified time.Time, err error) {
	seen.At = time.Now()
	content, info, err := openFile(open, file)
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

func openFile(open folders, file bridge.RecordingFile) (*os.File, os.FileInfo, error) {
	folder, err := open.in(file.Place)
	if err != nil {
		return nil, nil, err
	}
	content, err := folder.Open(file.Name)
	if err != nil {
		return nil, nil, err
	}
	info, err := content.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, content.Close())
	}
	return content, info, nil
}

// jobFields say in the log whose recording something is.
func jobFields(job bridge.RecordingJob) []zap.Field {
	return []zap.Field{
		zap.String("call", string(job.Recorded.Call)), zap.String("leg", string(job.Recorded.Leg)),
		zap.String("channel", string(job.Recorded.Channel)), zap.Int64("recording", job.ID),
	}
}

func fileFields(job bridge.RecordingJob) []zap.Field {
	return append(jobFields(job), zap.String("file", job.File.Name))
}
