package main

import (
	"context"
	"time"
)

const (
	// pending is how many reports wait while memory and restarts are measured.
	pending = 100_000
	// unstored bounds how many sent events the daemon has not stored yet.
	unstored = 500
	// settling is how long the daemon is left alone before its memory is read.
	settling = 5 * time.Second
	restarts = 5
	// spare is how many calls fill sends on top, for those that collapse.
	spare          = 100
	mostMemory     = 32 << 20
	longestRestart = 250 * time.Millisecond
)

// measurePending fills the outbox while the CRM is down, reads the daemon's memory, and
// kills and starts it again with the CRM back.
func (b *bench) measurePending(ctx context.Context) error {
	daemon, err := b.startDaemon(ctx, "pending")
	if err != nil {
		return err
	}
	defer daemon.close()
	daemon.crm.down.Store(true)
	if err := daemon.fill(ctx); err != nil {
		return err
	}
	if err := sleep(ctx, settling); err != nil {
		return err
	}
	memory, err := daemon.process.memory()
	if err != nil {
		return err
	}
	b.add(figure{"resident memory, 100,000 reports pending", megabytes(memory.resident),
		"program itself " + megabytes(memory.program) + ", peak " + megabytes(memory.most), "", "≤ " + megabytes(mostMemory), memory.resident <= mostMemory})
	return b.measureRestart(ctx, daemon)
}

// fill sends events as fast as the daemon stores them, until enough reports wait.
func (s *subject) fill(ctx context.Context) error {
	// A few calls collapse: the daemon sends register-call alone. The spare ones make up
	// for them.
	calls := pending/requestsPerCall + spare
	e := s.expect(calls)
	var event []byte
	sent := int64(0)
	for n := range calls {
		for i := range eventsPerCall {
			event = s.bench.script.appendEvent(event[:0], e.from+n, i)
			if err := s.asterisk.send(ctx, event); err != nil {
				return err
			}
		}
		if sent += eventsPerCall; sent%unstored < eventsPerCall {
			if err := s.until(ctx, "events are stored", func(d details) bool { return d.Events > sent-unstored }); err != nil {
				return err
			}
		}
	}
	return s.until(ctx, "reports wait", func(d details) bool { return d.Reports-d.Collapsed >= pending })
}

func (b *bench) measureRestart(ctx context.Context, daemon *subject) error {
	var took []float64
	for range restarts {
		daemon.crm.down.Store(true)
		daemon.process.kill()
		e := daemon.crm.expect(0, daemon.next)
		daemon.crm.down.Store(false)
		began := now()
		if err := daemon.exec(ctx); err != nil {
			return err
		}
		for e.requests.Load() == 0 {
			if err := sleep(ctx, 100*time.Microsecond); err != nil {
				return err
			}
			if seconds(began, now()) > patience.Seconds() {
				return daemon.missing(e)
			}
		}
		took = append(took, 1000*seconds(began, moment(e.first.Load())))
	}
	middle := time.Duration(median(took) * float64(time.Millisecond))
	b.add(figure{"restart with 100,000 pending, until the first POST", milliseconds(middle), "", "", "≤ " + milliseconds(longestRestart), middle <= longestRestart})
	return nil
}

func sleep(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
