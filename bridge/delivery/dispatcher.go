package delivery

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/breaker"
	"kontur-ari/internal/oncelog"
	"kontur-ari/internal/retry"
)

// Config is how a Dispatcher delivers. All fields are needed.
type Config struct {
	// Connections is how many requests may be in flight at once.
	Connections int
	// FirstPause is the pause after a first failure, about; it doubles with every
	// failure in a row up to LongestPause.
	FirstPause, LongestPause time.Duration
	// CollapseAfter is how long the first report of a call must have waited for the
	// call, once over, is reported by its last report alone.
	CollapseAfter time.Duration
}

// Dispatcher owns the delivery of all calls. Wake, Drain and Stats may be called
// from anywhere; Run is called once.
type Dispatcher struct {
	outbox bridge.Outbox
	sender bridge.Sender
	config Config
	pauses retry.Pauses
	log    *zap.Logger
	// crmTrouble and storeTrouble log a lasting trouble once. storeTrouble has one key for
	// failed reads and one for each call whose answer can't be stored.
	crmTrouble, storeTrouble *oncelog.Trouble

	mu sync.Mutex
	// lanes are the calls that are being served: those with new reports, and as many of
	// the others as fit. The rest is on disk only.
	lanes      map[bridge.CallID]*lane
	backlog    backlog
	identities identities
	// seen is the highest id of a report that was read from disk. A report up to it may have
	// been read, and sent, before Wake hands it over.
	seen int64
	// fresh and aged calls are to be read, loaded ones to be sent.
	fresh, aged, loaded queue
	turn                int
	// breaker decides how many requests may be in flight.
	breaker *breaker.Breaker
	// unrecorded are the answers that no part records yet; recording counts those that one
	// does. spare holds the arrays of recorded answers for later ones.
	unrecorded, spare answers
	recording         int
	// lost counts the answers that the store did not take and is not asked again for.
	lost    int
	feeding bool
	// storePaused: the store has just failed, and gets a pause.
	storePaused bool
	stats       Stats
	// toFeed, toSend and toRecord wake the three parts. changed wakes Drain.
	toFeed, toSend, toRecord *sync.Cond
	changed                  chan struct{}
	ended, allSent           bool
	// damaged is what a damaged outbox said; nil as long as it is none.
	damaged error
	timers  timers
}

// New makes a Dispatcher.
func New(outbox bridge.Outbox, sender bridge.Sender, config Config, log *zap.Logger) *Dispatcher {
	d := &Dispatcher{
		outbox: outbox, sender: sender, config: config, log: log,
		pauses:       retry.Pauses{First: config.FirstPause, Longest: config.LongestPause},
		crmTrouble:   oncelog.New(log, zap.WarnLevel, "the CRM can't be told; reports wait", "the CRM is told again"),
		storeTrouble: oncelog.New(log, zap.WarnLevel, "the outbox can't be read or written; reports wait", "the outbox works again"),
		lanes:        make(map[bridge.CallID]*lane), changed: make(chan struct{}),
		// What earlier runs left is there.
		backlog: backlog{more: true},
	}
	d.breaker = newBreaker(config.Connections, d.pauses)
	d.toFeed, d.toSend, d.toRecord = sync.NewCond(&d.mu), sync.NewCond(&d.mu), sync.NewCond(&d.mu)
	return d
}

// Run delivers until ctx ends, beginning with what earlier runs left. When ctx
// ends, requests in flight are broken off, what was answered is recorded, and Run
// returns nil: the outbox has the rest still. It returns earlier where the outbox is damaged
// ([bridge.ErrStoreDamaged]). Another error is one of recording: the requests that it counts
// will be repeated.
func (d *Dispatcher) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, d.end)
	defer stop()
	d.pollReturned()
	var sending, recording sync.WaitGroup
	sending.Go(func() { d.feed(ctx) })
	for range d.config.Connections {
		sending.Go(func() { d.work(ctx) })
	}
	var unrecorded error
	recording.Go(func() { unrecorded = d.recordAnswers(ctx) })
	sending.Wait()
	d.mu.Lock()
	d.allSent = true
	d.toRecord.Broadcast()
	d.mu.Unlock()
	recording.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	err := cmp.Or(unrecorded, d.damaged)
	lost := d.lost + d.unrecorded.count()
	if lost == 0 {
		return err
	}
	// A damaged store is logged by its owner.
	if d.damaged == nil {
		d.log.Error("answers of the CRM can't be recorded; these requests will be repeated", zap.Int("requests", lost), zap.Error(err))
	}
	return fmt.Errorf("recording the last %d answers of the CRM: %w", lost, err)
}

// giveUp ends the delivery, since the outbox is damaged. It is called with the lock held.
func (d *Dispatcher) giveUp(err error) {
	d.damaged = cmp.Or(d.damaged, err)
	d.ended = true
	d.timers.stop()
	d.wakeAll()
}

// end lets feeder and workers go and stops the pauses.
func (d *Dispatcher) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	d.timers.stop()
	d.wakeAll()
	d.notify()
}

// wakeAll is called with the lock held, when something has changed that more than
// one part may wait for.
func (d *Dispatcher) wakeAll() {
	d.toFeed.Broadcast()
	d.toSend.Broadcast()
	d.toRecord.Broadcast()
}

// notify is called with the lock held.
func (d *Dispatcher) notify() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Drain returns when nothing is ready or in flight, or when ctx ends. What pauses
// after a failure is not waited for.
func (d *Dispatcher) Drain(ctx context.Context) {
	for {
		d.mu.Lock()
		quiet, changed := d.quiet() || d.damaged != nil, d.changed
		d.mu.Unlock()
		if quiet {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// quiet is called with the lock held.
func (d *Dispatcher) quiet() bool {
	if d.ended {
		return true
	}
	if d.breaker.InFlight() > 0 || d.unrecorded.count() > 0 || d.recording > 0 {
		return d.storePaused && d.breaker.InFlight() == 0 && d.recording == 0
	}
	if d.storePaused || d.breaker.State() == breaker.Open {
		return true
	}
	return !d.feeding && d.fresh.empty() && d.aged.empty() && d.loaded.empty() && !d.backlog.more
}
