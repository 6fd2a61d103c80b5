package delivery

import (
	"context"
	"errors"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/internal/oncelog"
	"kontur-ari/internal/retry"
)

// gather is how long answers are waited for, to be recorded together, while there is
// more to send than can be sent.
const gather = time.Millisecond

// mostSpare is the largest array of answers that is used again: that of a crowd does not
// stay in memory.
const mostSpare = 256

// answers are those of the CRM that are to be recorded, each with whose it is.
type answers struct {
	sent    []bridge.Sent
	origins []origin
}

type origin struct {
	lane *lane
	// brokenOff: by the end of the process.
	brokenOff bool
}

func (a *answers) add(l *lane, result bridge.Result, brokenOff bool) {
	a.sent = append(a.sent, bridge.Sent{Pending: l.reports[0], Result: result})
	a.origins = append(a.origins, origin{l, brokenOff})
}

func (a *answers) count() int { return len(a.sent) }

// recordAnswers stores the answers that the workers left over, in batches, until the last
// report was sent. What the CRM has taken must not be sent again, so it goes on while the
// process stops. A store that fails then is not asked again: recordAnswers returns its
// error, as it does that of a damaged store at any time.
func (d *Dispatcher) recordAnswers(ctx context.Context) error {
	for {
		done := d.nextToRecord(ctx)
		if done.count() == 0 {
			return nil
		}
		if err := d.record(ctx, done, false); err != nil {
			return err
		}
	}
}

// recordOwn has a worker record the answer that it got: to wake another goroutine takes
// as long, and the store has those that are recorded at the same time share a flush. In a
// crowd recordAnswers stores many with less work.
func (d *Dispatcher) recordOwn(ctx context.Context) {
	d.mu.Lock()
	var done answers
	switch {
	case d.unrecorded.count() == 0 || d.storePaused:
	case d.crowded():
		d.toRecord.Signal()
	default:
		done = d.takeUnrecorded()
	}
	d.mu.Unlock()
	if done.count() > 0 {
		// recordAnswers tries again where the store fails, and Run returns what is lost.
		_ = d.record(ctx, done, true)
	}
}

// nextToRecord waits for answers that no worker records. There are none when everything was
// sent.
func (d *Dispatcher) nextToRecord(ctx context.Context) answers {
	d.mu.Lock()
	defer d.mu.Unlock()
	for gathered := false; !d.allSent; {
		switch {
		case d.unrecorded.count() == 0 || d.storePaused:
			d.toRecord.Wait()
		case d.crowded() && !gathered:
			gathered = true
			d.mu.Unlock()
			_ = retry.Sleep(ctx, gather) // at the end of the process there is no company to wait for
			d.mu.Lock()
		default:
			return d.takeUnrecorded()
		}
	}
	return d.takeUnrecorded()
}

// crowded returns whether all connections will be in use. It is called with the lock held.
func (d *Dispatcher) crowded() bool {
	return d.breaker.InFlight()+len(d.loaded.lanes) >= d.config.Connections
}

// takeUnrecorded takes the answers that no worker records. It is called with the lock held.
func (d *Dispatcher) takeUnrecorded() answers {
	done := d.unrecorded
	d.unrecorded, d.spare = d.spare, answers{}
	d.recording += done.count()
	return done
}

// record records answers. byWorker: its caller sends the next report. The error is the
// store's, where there is no time to ask it again.
func (d *Dispatcher) record(ctx context.Context, done answers, byWorker bool) error {
	err := d.outbox.RecordResults(context.WithoutCancel(ctx), done.sent)
	if err != nil {
		if d.retryRecording(done, err) {
			return nil
		}
		return err
	}
	// Before the next report of the call can be sent and logged.
	for i := range done.sent {
		d.storeTrouble.Over(string(done.sent[i].Pending.Report.Call))
		if !done.origins[i].brokenOff {
			d.logResult(&done.sent[i])
		}
	}
	d.continueCalls(done, byWorker)
	d.reuse(done)
	return nil
}

// retryRecording queues answers to be recorded again after a pause. It returns false when
// there is no time for that.
func (d *Dispatcher) retryRecording(done answers, err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.notify()
	d.recording -= done.count()
	damaged := errors.Is(err, bridge.ErrStoreDamaged)
	if damaged {
		d.giveUp(err)
	}
	if damaged || d.allSent {
		d.lost += done.count()
		return false
	}
	d.unrecorded.sent = append(done.sent, d.unrecorded.sent...)
	d.unrecorded.origins = append(done.origins, d.unrecorded.origins...)
	for i := range done.sent {
		d.storeTrouble.Failed(string(done.sent[i].Pending.Report.Call), oncelog.Cause(err))
	}
	d.pauseStore()
	return true
}

// continueCalls goes on with the calls whose answers were recorded.
func (d *Dispatcher) continueCalls(done answers, byWorker bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.notify()
	d.recording -= done.count()
	if d.unrecorded.count() > 0 {
		d.toRecord.Signal()
	}
	for i := range done.sent {
		sent, l := &done.sent[i], done.origins[i].lane
		if !done.origins[i].brokenOff {
			d.count(sent.Result.Verdict)
		}
		if sent.Result.Verdict == bridge.Retry {
			d.pauseCall(l)
			continue
		}
		l.reports = l.reports[1:]
		d.learn(l, sent)
		d.continueCall(l)
	}
	if len(d.lanes) == 0 && !d.backlog.more && d.breaker.Idle() {
		d.crmTrouble.AllOver()
	}
	toSend := len(d.loaded.lanes)
	if byWorker {
		toSend--
	}
	d.wakeSenders(toSend)
}

// wakeSenders wakes workers for so many reports, as far as any wait. It is called with the
// lock held.
func (d *Dispatcher) wakeSenders(reports int) {
	for range min(reports, d.config.Connections-d.breaker.InFlight()) {
		d.toSend.Signal()
	}
}

// reuse keeps the arrays of answers that were recorded for others.
func (d *Dispatcher) reuse(done answers) {
	if cap(done.sent) > mostSpare {
		return
	}
	clear(done.sent)
	clear(done.origins)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spare = answers{done.sent[:0], done.origins[:0]}
}
