package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/bridge/commander"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/redirect"
	"kontur-ari/bridge/store"
	"kontur-ari/configs"
	"kontur-ari/crm"
	"kontur-ari/crm/server"
	"kontur-ari/recordings"
)

const (
	// pruneEvery is the pause between two removals of old journal entries, measureEvery
	// that between two looks at the size of the store.
	pruneEvery   = 10 * time.Minute
	measureEvery = time.Minute
	// inspectAfter is when the whole store is looked at: what waited since the last run
	// goes to the CRM first.
	inspectAfter = 10 * time.Second
	// heardEvery is the pause between two records of when Asterisk was heard last.
	heardEvery = 10 * time.Second
	// authoriseEvery is the pause between two tries to reach the CRM at the start.
	authoriseEvery = 30 * time.Second
)

// line is the event line from the switch to the CRM while it runs.
type line struct {
	log        *zap.Logger
	db         *store.Store
	client     *crm.Client
	source     *ari.Source
	switcher   *ari.Switch
	redirector *redirect.Redirector
	commander  *commander.Commander
	server     *server.Server
	intake     *intake.Intake
	dispatcher *delivery.Dispatcher
	// courier is nil where no recordings are handed over.
	courier *recordings.Courier
	// heardBefore is when the last process heard Asterisk last; zero for never.
	heardBefore time.Time
	// doubtWithin is how long before its end what the last process sent may have begun;
	// doubted: that is settled.
	doubtWithin time.Duration
	doubted     atomic.Bool

	running, taking, delivering context.CancelFunc
	serverDone                  chan error
	sourceDone                  chan error
	intakeDone                  chan error
	deliveryDone                chan error
	background                  sync.WaitGroup
	stopAdmin                   func(context.Context) error
}

// start sets the parts to work, the last of the line first, so that each finds
// its successor there.
func (l *line) start(cfg configs.Config) {
	run := func(part func(context.Context) error) (context.CancelFunc, chan error) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- part(ctx) }()
		return cancel, done
	}
	l.delivering, l.deliveryDone = run(l.deliver)
	l.taking, l.intakeDone = run(l.intake.Run)
	ctx, cancel := context.WithCancel(context.Background())
	l.running = cancel
	l.sourceDone = make(chan error, 1)
	go func() { l.sourceDone <- l.source.Run(ctx, l.intake.Put) }()
	l.background.Go(func() { l.recoverOrders(ctx) })
	l.serve()
	l.background.Go(func() { watchdog(ctx, l.log, l.alive) })
	l.background.Go(func() { l.inspect(ctx) })
	l.background.Go(func() { l.prune(ctx, cfg.Storage.JournalKeep, cfg.Recordings.KeepFor()) })
	l.background.Go(func() { l.pruneTo(ctx, cfg.Storage.JournalMaxSize) })
	if l.courier != nil {
		l.background.Go(func() { l.courier.Run(ctx) })
	}
	l.background.Go(func() { l.authorise(ctx) })
	l.background.Go(func() { l.recordHeard(ctx) })
	l.background.Go(func() { giveBackMemory(ctx, func() bool { return l.dispatcher.Stats().Gate != delivery.Shut }) })
}

// deliver delivers until ctx ends, once it is settled what the last process had on its way.
// Events are stored meanwhile.
func (l *line) deliver(ctx context.Context) error {
	for cause := ""; ; {
		err := l.db.Doubt(ctx, l.doubtWithin)
		if err == nil {
			l.doubted.Store(true)
			return l.dispatcher.Run(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err.Error() != cause {
			cause = err.Error()
			l.log.Error("the CRM is told nothing yet", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(doubtPause):
		}
	}
}

// doubtPause is the pause before the store is asked again.
const doubtPause = time.Second

// stop ends the line in the order in which things run through it: no new commands and
// events, then those that arrived are stored, then what is ready is delivered as far as
// ctx allows. What is left waits in the outbox for the next start. It returns
// when ctx ends at the latest.
func (l *line) stop(ctx context.Context) error {
	// A command needs everything else.
	obey, cancel := context.WithTimeout(ctx, remaining(ctx)/4)
	serverErr := l.stopServing(obey)
	cancel()
	l.running()
	sourceErr := wait(ctx, l.sourceDone, "the event source")
	// Nobody tells of callers any more: who waits goes on before the rest is done.
	letGo, cancel := context.WithTimeout(ctx, remaining(ctx)/2)
	redirectErr := l.redirector.Stop(letGo)
	cancel()
	l.background.Wait()
	l.commander.Close()
	l.taking()
	intakeErr := wait(ctx, l.intakeDone, "the store")
	// Requests under way when time is up need a moment to be recorded.
	drain, cancel := context.WithTimeout(ctx, remaining(ctx)*8/10)
	l.dispatcher.Drain(drain)
	cancel()
	l.delivering()
	deliveryErr := wait(ctx, l.deliveryDone, "the delivery")
	if deliveryErr == nil && l.doubted.Load() {
		// Where it fails some calls are told in full that need not be.
		_ = l.db.Stopped(ctx)
	}
	released := make(chan error, 1)
	adminErr := l.stopAdmin(ctx)
	go func() { released <- l.release() }()
	return errors.Join(serverErr, sourceErr, redirectErr, intakeErr, deliveryErr, adminErr, wait(ctx, released, "the store"))
}

// release gives back what was acquired, as far as it was.
func (l *line) release() error {
	var errs []error
	if l.server != nil && l.serverDone == nil {
		// It listens, and has nobody to wait for.
		errs = append(errs, l.server.Shutdown(context.Background()))
	}
	if l.commander != nil {
		l.commander.Close()
	}
	if l.switcher != nil {
		l.switcher.Close()
	}
	if l.client != nil {
		l.client.Close()
	}
	if l.db != nil {
		errs = append(errs, l.db.Close())
	}
	return errors.Join(errs...)
}

func remaining(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return time.Until(deadline)
}

func wait(ctx context.Context, done <-chan error, part string) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s did not stop in time: %w", part, ctx.Err())
	}
}

// healthy says whether the process and its store work. It returns when ctx ends at the
// latest, also while the store hangs.
func (l *line) healthy(ctx context.Context) error {
	switch taken := l.intake.Stats(); {
	case taken.Dropping:
		return fmt.Errorf("events are dropped: memory is full of %d that can't be stored (storage.memory_max_size)", taken.Waiting)
	case taken.Failing:
		return fmt.Errorf("events can't be stored: %d wait in memory", taken.Waiting)
	case taken.Stalled:
		return fmt.Errorf("the disk takes long: %d events wait in memory", taken.Waiting)
	}
	return l.db.Check(ctx)
}

// alive goes through the locks of the parts that events pass: a process in which
// one of them is held for good must be started anew. A disk that fails is not a
// reason for that.
func (l *line) alive() {
	l.intake.Stats()
	l.dispatcher.Stats()
	l.source.Status()
}

func (l *line) prune(ctx context.Context, keep, keepRecordings time.Duration) {
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	started := time.Now()
	believed := newHorizon(started, l.heardBefore, keep)
	for {
		if err := l.db.Prune(ctx, believed.now(time.Now(), time.Since(started)).Add(-keep)); err != nil && ctx.Err() == nil {
			l.log.Warn("old journal entries stay", zap.Error(err))
		}
		// Which files may be removed later is not forgotten before.
		longest := max(keep, keepRecordings+keep)
		if err := l.db.PruneRecordings(ctx, believed.now(time.Now(), time.Since(started)).Add(-longest), l.removedPlaces()); err != nil && ctx.Err() == nil {
			l.log.Warn("what has become of old recordings stays", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// pruneTo keeps the store from growing beyond a size.
func (l *line) pruneTo(ctx context.Context, most configs.Size) {
	ticker := time.NewTicker(measureEvery)
	defer ticker.Stop()
	for {
		if err := l.db.PruneTo(ctx, most.Bytes()); err != nil && ctx.Err() == nil {
			l.log.Warn("the store grows beyond storage.journal_max_size", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// inspect looks once at the whole store, when the work of the start is done.
func (l *line) inspect(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(inspectAfter):
	}
	if err := l.db.Inspect(ctx); err != nil && ctx.Err() == nil {
		l.log.Error("the store can't be inspected for damage", zap.Error(err))
	}
}

// recordHeard keeps when Asterisk was heard last, for the next start: it tells how
// long nobody listened. It returns when ctx ends, after a last record.
func (l *line) recordHeard(ctx context.Context) {
	ticker := time.NewTicker(heardEvery)
	defer ticker.Stop()
	var recorded time.Time
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-ticker.C:
		}
		heard := l.source.LastHeard()
		// What is in memory only was not heard, should this process end before it is stored.
		if unstored := l.intake.Unstored(); !unstored.IsZero() && unstored.Before(heard) {
			heard = unstored
		}
		if heard.Equal(recorded) {
			continue
		}
		// Bounded, since a stop waits for it; a record that fails is no loss beside
		// that of the events, which is reported.
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		if err := l.db.SetLastHeard(writing, heard); err == nil {
			recorded = heard
		}
		cancel()
	}
}

// authorise reaches out to the CRM before there is a call to report, so that a
// wrong key shows when the service is started and not with the first call.
func (l *line) authorise(ctx context.Context) {
	for l.client.Authorise(ctx) != nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(authoriseEvery):
		}
	}
}
