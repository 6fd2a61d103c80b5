package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/oncelog"
)

// gather is how long answers are waited for, to be recorded together, while there is
// more to send than can be sent.
const gather = time.Millisecond

// mostSpare is the largest array of answers that is used again: that of a crowd does not
// stay in memory.
const mostSpare = 256

// answers are those of the CRM that are to be recorded, each with whose it is.
type answers struct {
	sent  []bridge.Sent
	whose []whose
}

type whose struct {
	lane *lane
	// brokenOff: by the end of the process.
	brokenOff bool
}

func (a *answers) add(l *lane, result bridge.Result, brokenOff bool) {
	a.sent = append(a.sent, bridge.Sent{Pending: l.reports[0], Result: result})
	a.whose = append(a.whose, whose{l, brokenOff})
}

func (a *answers) count() int { return len(a.sent) }

// conclude records the answers that the workers leave to it, all that there are at a time,
// until everything was sent. What the CRM has taken must not be sent again, so it goes on
// when the process is about to end; then a store that fails is asked no more, and its
// error returned.
func (d *Dispatcher) settle(ctx context.Context) error {
	for {
		done := d.nextToSettle()
		if done.count() == 0 {
			return nil
		}
		if err := d.record(ctx, done, false); err != nil {
			d.mu.Lock()
			requests := done.count() + d.unsettled.count()
			d.mu.Unlock()
			d.log.Error("answers of the CRM can't be recorded; these requests will be repeated", zap.Int("requests", requests), zap.Error(err))
			return fmt.Errorf("recording the last %d answers of the CRM: %w", requests, err)
		}
	}
}

// settleOwn has a worker record the answer that it got: to wake somebody for it would take
// as long, and the store has those that are recorded at the same time share a flush. In a
// crowd it is left to the settler, which records many with less work.
func (d *Dispatcher) settleOwn(ctx context.Context) {
	d.mu.Lock()
	var done answers
	switch {
	case d.unsettled.count() == 0 || d.storeDown:
	case d.crowded():
		d.toSettle.Signal()
	default:
		done = d.takeUnsettled()
	}
	d.mu.Unlock()
	if done.count() > 0 {
		// A store that fails is asked again by the settler.
		_ = d.record(ctx, done, true)
	}
}

// nextToSettle waits for answers that nobody records. There are none when everything was
// sent.
func (d *Dispatcher) nextToSettle() answers {
	d.mu.Lock()
	defer d.mu.Unlock()
	for gathered := false; !d.allSent; {
		switch {
		case d.unsettled.count() == 0 || d.storeDown:
			d.toSettle.Wait()
		case d.crowded() && !gathered:
			gathered = true
			d.mu.Unlock()
			time.Sleep(gather)
			d.mu.Lock()
		default:
			return d.takeUnsettled()
		}
	}
	return d.takeUnsettled()
}

// crowded tells whether all connections will be in use. It is called with the lock held.
func (d *Dispatcher) crowded() bool {
	return d.breaker.InFlight()+len(d.loaded.lanes) >= d.config.Connections
}

// takeUnsettled takes the answers that nobody records. It is called with the lock held.
func (d *Dispatcher) takeUnsettled() answers {
	done := d.unsettled
	d.unsettled, d.spare = d.spare, answers{}
	d.recording += done.count()
	return done
}

// record records answers. byWorker: its caller sends the next report. The error is the
// store's, where there is no time to ask it again.
func (d *Dispatcher) record(ctx context.Context, done answers, byWorker bool) error {
	err := d.outbox.Settle(context.WithoutCancel(ctx), done.sent)
	if err != nil {
		if d.unrecorded(done, err) {
			return nil
		}
		return err
	}
	// Before the next of a call can be sent, and told.
	for i := range done.sent {
		d.storeTrouble.Over(string(done.sent[i].Pending.Report.Call))
		if !done.whose[i].brokenOff {
			d.tell(&done.sent[i])
		}
	}
	d.recorded(done, byWorker)
	d.reuse(done)
	return nil
}

// unrecorded has answers recorded again after a while. It returns false when there is no
// time for that.
func (d *Dispatcher) unrecorded(done answers, err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.notify()
	d.recording -= done.count()
	if errors.Is(err, bridge.ErrStoreDamaged) {
		d.giveUp(err)
		return false
	}
	if d.allSent {
		return false
	}
	d.unsettled.sent = append(done.sent, d.unsettled.sent...)
	d.unsettled.whose = append(done.whose, d.unsettled.whose...)
	for i := range done.sent {
		d.storeTrouble.Failed(string(done.sent[i].Pending.Report.Call), oncelog.Cause(err))
	}
	d.leaveStore()
	return true
}

// recorded lets the calls go on whose answers were recorded.
func (d *Dispatcher) recorded(done answers, byWorker bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.notify()
	d.recording -= done.count()
	if d.unsettled.count() > 0 {
		d.toSettle.Signal()
	}
	for i := range done.sent {
		sent, l := &done.sent[i], done.whose[i].lane
		if !done.whose[i].brokenOff {
			d.count(sent.Result.Verdict)
		}
		if sent.Result.Verdict == bridge.Retry {
			d.putOff(l)
			continue
		}
		l.reports = l.reports[1:]
		d.learn(l, sent)
		d.goOn(l)
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
	clear(done.whose)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spare = answers{done.sent[:0], done.whose[:0]}
}

// learn keeps what an answer has taught, also for the reports that are in memory
// already. It is called with the lock held.
func (d *Dispatcher) learn(l *lane, sent *bridge.Sent) {
	learnt := sent.Result.Learnt
	for i := range l.reports {
		identity := &l.reports[i].Identity
		identity.ExternalID = cmp.Or(learnt.ExternalID, identity.ExternalID)
		identity.CommunicationID = cmp.Or(learnt.CommunicationID, identity.CommunicationID)
	}
	switch sent.Pending.Report.Kind {
	case bridge.ReportStarted:
		d.identities.put(l.call, learnt)
	case bridge.ReportRegister, bridge.ReportFailed:
		d.identities.forget(l.call)
	}
}

// tell logs how a request ended.
func (d *Dispatcher) tell(sent *bridge.Sent) {
	report, result := &sent.Pending.Report, &sent.Result
	fields := []zap.Field{
		zap.String("call", string(report.Call)),
		zap.String("request", string(report.Kind)),
		zap.Int("attempt", sent.Pending.Attempts+1),
		zap.Int("status", result.Status),
	}
	if report.Kind == bridge.ReportEvent {
		fields = append(fields, zap.String("leg", string(report.Leg)), zap.String("event", string(report.Event)))
	}
	switch result.Verdict {
	case bridge.Delivered:
		d.crmTrouble.Over(string(report.Call))
		d.log.Info("delivered", fields...)
	case bridge.Refused:
		d.crmTrouble.Over(string(report.Call))
		d.log.Error("refused by the CRM for good; kept as a dead letter",
			append(fields, zap.Int64("report", sent.Pending.ID), zap.String("reason", result.Reason))...)
	case bridge.Retry:
		d.crmTrouble.Failed(string(report.Call), result.Reason, fields...)
	case bridge.Expired:
		d.log.Warn("the CRM could not be told of a recording within a day of its upload; it is uploaded again", fields...)
	}
}

// count is called with the lock held.
func (d *Dispatcher) count(verdict bridge.Verdict) {
	switch verdict {
	case bridge.Delivered:
		d.stats.Delivered++
	case bridge.Refused:
		d.stats.Refused++
	case bridge.Retry:
		d.stats.Retried++
	}
}
