package recordings

import "time"

// Observation is what was seen of a recording at a moment.
type Observation struct {
	At time.Time
	// There: there is such a file; Size is its length in bytes, Sound what its header says.
	There bool
	Size  int64
	Sound Sound
}

// State is how far a recording is.
type State string

// The states. Waiting is the only one that is not final.
const (
	// Waiting: it may still be written.
	Waiting State = "waiting"
	// Ready: its writer is done.
	Ready State = "ready"
	// Torn: nobody writes it any more, and its header is wrong, as after a crash of
	// Asterisk: what is there can be played by most.
	Torn State = "torn"
	// Silent: there is no sound in it.
	Silent State = "silent"
	// Missing: there is no such file.
	Missing State = "missing"
)

// Patience is how long is waited for what. All fields are needed.
type Patience struct {
	// Still is how long a file must not have changed.
	Still time.Duration
	// Repair is how long a file must not have changed whose header is wrong, or that holds
	// nothing: the lengths are written last.
	Repair time.Duration
	// Appear is how long a file may be missing after its channel is gone that somebody
	// has told of; Named is how long files are looked for that nobody told of.
	Appear, Named time.Duration
}

// Settling follows one file until its writer is done with it. It is pure: it is told what
// is seen, and when. The zero value has seen nothing.
type Settling struct {
	// gone is when the channel was found gone that was recorded.
	gone time.Time
	last Observation
	// since is when the file was first seen as it is.
	since time.Time
}

// ChannelGone tells that the channel is gone that was recorded, by when. Before that no
// recording is done: Asterisk writes on while somebody holds.
func (s *Settling) ChannelGone(at time.Time) {
	if s.gone.IsZero() {
		s.gone = at
	}
}

// See takes an observation, each later than the one before, and says how far the
// recording is.
func (s *Settling) See(now Observation, patience Patience) State {
	if s.since.IsZero() || now.There != s.last.There || now.Size != s.last.Size || now.Sound != s.last.Sound {
		s.since = now.At
	}
	s.last = now
	if s.gone.IsZero() {
		return Waiting
	}
	still := now.At.Sub(later(s.since, s.gone))
	switch {
	case !now.There:
		return after(patience.Appear, still, Missing)
	case now.Size == 0, now.Sound.Silent:
		return after(patience.Repair, still, Silent)
	case now.Sound.Wave && !now.Sound.Whole:
		return after(patience.Repair, still, Torn)
	}
	return after(patience.Still, still, Ready)
}

// after is a state that holds once something has lasted for so long.
func after(patience, lasted time.Duration, state State) State {
	if lasted < patience {
		return Waiting
	}
	return state
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
