package ari

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

// Source delivers the events of one Asterisk, for as long as it runs, over as
// many connections as that takes. It guarantees:
//
//   - the first event of every connection is a snapshot, followed by every event
//     that Asterisk sent since before that snapshot was read, in the order of
//     their arrival; what happened while there was no connection is in the
//     difference between two snapshots;
//   - so is a snapshot that is asked for ([Source.Resync]) by the events since;
//   - it never drops an event that can be decoded and belongs to a connection
//     whose snapshot was delivered;
//   - a connection that is dead in any way is noticed within 15 s (see [Timings]);
//   - between two attempts to connect there are at least 0.3 s.
//
// An event may be older than what the snapshot before it shows, since Asterisk
// goes on while it is read.
type Source struct {
	config   SourceConfig
	rest     *Switch
	logger   *zap.Logger
	running  atomic.Bool
	counters counters
	// resync has room for one, which asks for a snapshot.
	resync chan struct{}
	// logged is the cause that was logged last. Run's goroutine only.
	logged Cause
	// told is what was logged of the clocks last. Run's goroutine only.
	told toldClock

	mu     sync.Mutex
	status Status
	// lastHeard is when Asterisk was heard last; zero for never. missed is since when
	// what was heard has been lost; zero for nothing.
	lastHeard, missed time.Time
}

// ErrRunning is what a second Run returns while a first one is under way.
var ErrRunning = errors.New("ari: the source is already running")

// NewSource returns a Source that connects to the Asterisk of a Switch, once Run is
// called. It sends its own requests through the Switch, which stays the caller's to
// close. The logger gets one line for each change of the connection's fate, not for each
// attempt or event.
func NewSource(rest *Switch, config SourceConfig, logger *zap.Logger) *Source {
	config.Timings = config.Timings.withDefaults()
	return &Source{
		config:    config,
		rest:      rest,
		logger:    logger,
		resync:    make(chan struct{}, 1),
		status:    Status{State: Disconnected, Since: time.Now()},
		lastHeard: config.LastHeard,
	}
}

// Run delivers events until ctx ends and then returns nil; whatever is wrong with
// Asterisk is a [Status], not an error. The only error is [ErrRunning]. A Source
// may be run again after Run has returned.
//
// sink is called for one event at a time, from goroutines that end before Run
// returns, and must not block: it holds up reading, and Asterisk drops a listener
// that makes it wait 100 ms.
func (s *Source) Run(ctx context.Context, sink func(bridge.Event)) error {
	if !s.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer s.running.Store(false)

	pauses := retry.New(retry.Pauses{First: s.config.Timings.Pause, Longest: s.config.Timings.PauseMax})
	for {
		// Before the first attempt too: our predecessor may have ended just now.
		if retry.Sleep(ctx, pauses.Next()) != nil {
			break
		}
		flowed, err := s.connect(ctx, sink)
		if ctx.Err() != nil {
			break
		}
		if flowed >= s.config.Timings.Stable {
			pauses.Reset()
		}
		if errors.Is(err, errReplaced) {
			s.standDown(ctx, err)
			pauses.Reset()
			continue
		}
		s.lost(err)
	}
	s.change(Status{State: Disconnected, Cause: CauseStopped, Reason: "told to stop"})
	return nil
}

// Status returns the current state. It may be called at any time.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// LastHeard returns when it was certain last that every event of Asterisk comes, and
// is not lost, to a few seconds; zero for never. What has changed in Asterisk since
// then may not have been told. It may be called at any time.
func (s *Source) LastHeard() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.missed.IsZero() && s.missed.Before(s.lastHeard) {
		return s.missed
	}
	return s.lastHeard
}

// hears notes that Asterisk is heard now.
func (s *Source) hears() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastHeard = time.Now()
}

// Missed tells that what was delivered since a moment is lost, all or some of it. The
// next snapshot has that moment as its MissedSince, and makes up for it. It never
// blocks, and may be called by Run's sink.
func (s *Source) Missed(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missed.IsZero() || since.Before(s.missed) {
		s.missed = since
	}
}

// madeUp forgets what was missed: a snapshot that shows it is about to be delivered.
func (s *Source) madeUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed = time.Time{}
}

// Resync asks for a snapshot as soon as there is a connection; a new connection's
// first one will do. It never blocks, and may be called at any time.
func (s *Source) Resync() {
	select {
	case s.resync <- struct{}{}:
	default:
	}
}

// Stats returns the counters. It may be called at any time; counters are read one
// by one, so two of them may differ by what happened in between.
func (s *Source) Stats() Stats { return s.counters.snapshot() }

// change enters a status and tells those who want to know. It is called by Run's
// goroutine only.
func (s *Source) change(status Status) {
	status.Since = time.Now()
	s.mu.Lock()
	s.status = status
	s.mu.Unlock()
	if s.config.OnChange != nil {
		s.config.OnChange(status)
	}
}

// progress enters a state of an attempt that is under way; until it succeeds, the
// status keeps saying why the one before failed.
func (s *Source) progress(state State) {
	status := s.Status()
	status.State = state
	if status.Cause == CauseStopped {
		status.Cause, status.Reason = CauseNone, ""
	}
	s.change(status)
}

// flowing enters Flowing.
func (s *Source) flowing(snapshot *bridge.Snapshot) {
	s.counters.connections.Add(1)
	s.change(Status{State: Flowing})
	s.logged = CauseNone
	s.logger.Info("events of Asterisk flow",
		zap.String("application", s.rest.application),
		zap.Int("channels", len(snapshot.Channels)), zap.Int("bridges", len(snapshot.Bridges)))
	s.tellClock()
}

// lost enters Disconnected, and logs it if the cause is another than last time.
func (s *Source) lost(err error) {
	cause := causeOf(err)
	s.change(Status{State: Disconnected, Cause: cause, Reason: advice[cause] + " (" + err.Error() + ")"})
	log := s.logger.Debug
	if s.logged != cause {
		log = s.logger.Warn
	}
	s.logged = cause
	log("no events from Asterisk", zap.String("cause", string(cause)),
		zap.String("reason", advice[cause]), zap.Error(err))
}
