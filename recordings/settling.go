package recordings

import "time"

// observation is what was seen of a recording at a moment.
type observation struct {
	At time.Time
	// There: the file exists. Size is its length in bytes, Sound what its header says.
	There bool
	Size  int64
	Sound soundHeader
}

// fileState is how far a recording is.
type fileState string

// The states. All but stateWaiting are final.
const (
	// stateWaiting: it may still be written.
	stateWaiting fileState = "waiting"
	// stateReady: its writer is done.
	stateReady fileState = "ready"
	// stateTorn: it no longer grows and its header is wrong, as after a crash of Asterisk.
	// Most players can play what is there.
	stateTorn fileState = "torn"
	// stateSilent: there is no sound in it.
	stateSilent fileState = "silent"
	// stateMissing: there is no such file.
	stateMissing fileState = "missing"
)

// Patience is how long to wait for a file. All fields are required.
type Patience struct {
	// Still is how long a file must not have changed.
	Still time.Duration
	// Repair replaces Still for a file with a wrong header or without sound: Asterisk
	// writes the lengths last.
	Repair time.Duration
	// Appear is how long a file that was reported may be missing after its channel is gone.
	Appear time.Duration
	// Named is how long to look for files of which nothing was reported.
	Named time.Duration
}

// settling follows one file until its writer is done with it. It is pure: the caller passes
// observations and times. The zero value has seen nothing.
type settling struct {
	// gone is when the recorded channel was found gone.
	gone time.Time
	last observation
	// since is when the file was first seen as it is.
	since time.Time
}

// channelGone notes that the recorded channel is gone. No recording is complete before that:
// Asterisk may pause writing while the call is on hold.
func (s *settling) channelGone(at time.Time) {
	if s.gone.IsZero() {
		s.gone = at
	}
}

// see takes an observation, later than the one before, and returns the state of the
// recording.
func (s *settling) see(now observation, patience Patience) fileState {
	if s.since.IsZero() || now.There != s.last.There || now.Size != s.last.Size || now.Sound != s.last.Sound {
		s.since = now.At
	}
	s.last = now
	if s.gone.IsZero() {
		return stateWaiting
	}
	still := now.At.Sub(later(s.since, s.gone))
	switch {
	case !now.There:
		return after(patience.Appear, still, stateMissing)
	case now.Size == 0, now.Sound.Silent:
		return after(patience.Repair, still, stateSilent)
	case now.Sound.Wave && !now.Sound.Whole:
		return after(patience.Repair, still, stateTorn)
	}
	return after(patience.Still, still, stateReady)
}

// after returns a state once something has lasted long enough, and stateWaiting before.
func after(patience, lasted time.Duration, state fileState) fileState {
	if lasted < patience {
		return stateWaiting
	}
	return state
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
