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
//   - the first event of every connection is a snapshot; every event that Asterisk sent
//     since before that snapshot was read follows, in the order of arrival. What happened
//     without a connection is the difference between two snapshots;
//   - the same holds for a snapshot that [Source.Resync] asks for;
//   - it never drops an event that can be decoded and belongs to a connection
//     whose snapshot was delivered;
//   - it notices a dead connection, dead in any way, within 15 s (see [Timings]);
//   - it waits at least 0.3 s between two attempts to connect.
//
// An event may be older than the state in the snapshot before it, because Asterisk
// continues while the snapshot is read.
type Source struct {
	config   SourceConfig
	rest     *Switch
	logger   *zap.Logger
	running  atomic.Bool
	counters counters
	// resync holds one request for a snapshot at most.
	resync chan struct{}
	// logged is the cause that was logged last. Run's goroutine only.
	logged Cause
	// clockLogged is what was logged about the clocks last. Run's goroutine only.
	clockLogged clockReport

	mu     sync.Mutex
	status Status
	// lastHeard is when Asterisk was heard last; zero for never. missed is the time since
	// which delivered events were lost; zero for none.
	lastHeard, missed time.Time
}

// ErrRunning is what a second Run returns while a first one is under way.
var ErrRunning = errors.New("ari: the source is already running")

// NewSource returns a Source that connects to the Asterisk of a Switch, once Run is
// called. Its requests have connections of their own in the Switch, which stays the
// caller's to close. The logger gets one line for each change of the connection's fate, not for each
// attempt or event.
func NewSource(rest *Switch, config SourceConfig, logger *zap.Logger) *Source {
	config.Timings = config.Timings.withDefaults(isLoopback(rest.base.Hostname()))
	return &Source{
		config:    config,
		rest:      rest.ofSource(),
		logger:    logger,
		resync:    make(chan struct{}, 1),
		status:    Status{State: Disconnected, Since: time.Now()},
		lastHeard: config.LastHeard,
	}
}

// Run delivers events until ctx ends and then returns nil. Trouble with Asterisk is a
// [Status], not an error; the only error is [ErrRunning]. Run may be called again after
// it has returned.
//
// Run calls sink for one event at a time, from goroutines that end before Run returns.
// sink must not block: it holds up reading, and Asterisk drops a listener that makes it
// wait 100 ms.
func (s *Source) Run(ctx context.Context, sink func(bridge.Event)) error {
	if !s.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer s.running.Store(false)

	pauses := retry.New(retry.Pauses{First: s.config.Timings.Pause, Longest: s.config.Timings.PauseMax})
	for {
		// There is a pause before the first attempt too: another process may have closed
		// its websocket just now.
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
		s.disconnected(err)
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

// LastHeard returns the last time at which every event of Asterisk was known to arrive
// and not to be lost, to a few seconds; zero for never. Later changes in Asterisk may not
// have been delivered. It may be called at any time.
func (s *Source) LastHeard() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.missed.IsZero() && s.missed.Before(s.lastHeard) {
		return s.missed
	}
	return s.lastHeard
}

// markHeard notes that Asterisk is heard now.
func (s *Source) markHeard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastHeard = time.Now()
}

// Missed notes that the receiver lost some or all events delivered since a time. The next
// snapshot, which replaces them, has that time as its MissedSince. It never blocks, and
// Run's sink may call it.
func (s *Source) Missed(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missed.IsZero() || since.Before(s.missed) {
		s.missed = since
	}
}

// clearMissed forgets what was missed, because a snapshot that shows it is about to be
// delivered.
func (s *Source) clearMissed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed = time.Time{}
}

// Resync asks for a snapshot as soon as there is a connection. The first snapshot of a
// new connection counts. It never blocks, and may be called at any time.
func (s *Source) Resync() {
	select {
	case s.resync <- struct{}{}:
	default:
	}
}

// Stats returns the counters. It may be called at any time. Counters are read one by one,
// so two of them may be a moment apart.
func (s *Source) Stats() Stats { return s.counters.snapshot() }

// change stores a status and passes it to OnChange. Only Run's goroutine calls it.
func (s *Source) change(status Status) {
	status.Since = time.Now()
	s.mu.Lock()
	s.status = status
	s.mu.Unlock()
	if s.config.OnChange != nil {
		s.config.OnChange(status)
	}
}

// progress stores the state of an attempt that is under way. Until the attempt succeeds,
// the status keeps the cause of the last failure.
func (s *Source) progress(state State) {
	status := s.Status()
	status.State = state
	if status.Cause == CauseStopped {
		status.Cause, status.Reason = CauseNone, ""
	}
	s.change(status)
}

// flowing stores and logs that events flow.
func (s *Source) flowing(snapshot *bridge.Snapshot) {
	s.counters.connections.Add(1)
	s.change(Status{State: Flowing})
	s.logged = CauseNone
	s.logger.Info("events of Asterisk flow",
		zap.String("application", s.rest.application),
		zap.Int("channels", len(snapshot.Channels)), zap.Int("bridges", len(snapshot.Bridges)))
	s.logClock()
}

// disconnected stores that there is no connection. It warns when the cause is another
// than last time, and logs a repeated cause at debug level.
func (s *Source) disconnected(err error) {
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
