package delivery

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// gather is how long answers are waited for, to be recorded together, while there is
// more to send than can be sent.
const gather = time.Millisecond

// mostSpare is the largest array of answers that is used again: that of a crowd does not
// stay in memory.
const mostSpare = 64

// settlement is an answer that is to be recorded, and whose it is.
type settlement struct {
	lane *lane
	bridge.Sent
	// brokenOff: by the end of the process.
	brokenOff bool
}

// settle records the answers, all that there are at a time, until everything was
// sent. What the CRM has taken must not be sent again, so it goes on when the process
// is about to end; then a store that fails is asked no more, and its error returned.
func (d *Dispatcher) settle(ctx context.Context) error {
	var sent []bridge.Sent
	for {
		done, ok := d.nextToSettle()
		if !ok {
			return nil
		}
		sent = sent[:0]
		for i := range done {
			sent = append(sent, done[i].Sent)
		}
		err := d.outbox.Settle(context.WithoutCancel(ctx), sent)
		if err == nil {
			d.storeTrouble.over("settling")
			for i := range done {
				d.report(&done[i])
			}
		}
		if !d.settled(done, err) {
			d.log.Error("answers of the CRM can't be recorded; these requests will be repeated", zap.Int("requests", len(done)), zap.Error(err))
			return fmt.Errorf("recording the last %d answers of the CRM: %w", len(done), err)
		}
		if clear(sent); cap(sent) > mostSpare {
			sent = nil
		}
	}
}

// nextToSettle waits for answers.
func (d *Dispatcher) nextToSettle() ([]settlement, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.unsettled) == 0 && !d.allSent || d.storeDown && !d.allSent {
		d.toSettle.Wait()
	}
	if !d.loaded.empty() && d.gate.inFlight >= d.config.Connections && !d.allSent {
		d.mu.Unlock()
		time.Sleep(gather)
		d.mu.Lock()
	}
	done := d.unsettled
	d.unsettled = d.spare
	d.spare = nil
	d.recording = len(done)
	return done, len(done) > 0
}

// settled lets the calls go on whose answers were recorded; others are tried again.
// It returns false when there is no time for that.
func (d *Dispatcher) settled(done []settlement, err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.notify()
	d.recording = 0
	if err != nil {
		if d.allSent {
			return false
		}
		d.unsettled = append(done, d.unsettled...)
		d.storeFailed("settling", err)
		return true
	}
	for _, s := range done {
		if s.Result.Verdict == bridge.Retry {
			d.putOff(s.lane)
			continue
		}
		s.lane.reports = s.lane.reports[1:]
		d.learn(s)
		d.goOn(s.lane)
	}
	if cap(done) <= mostSpare {
		clear(done)
		d.spare = done[:0]
	}
	d.toSend.Signal()
	return true
}

// learn keeps what an answer has taught, also for the reports that are in memory
// already. It is called with the lock held.
func (d *Dispatcher) learn(s settlement) {
	for i := range s.lane.reports {
		identity := &s.lane.reports[i].Identity
		identity.ExternalID = cmp.Or(s.Result.Learnt.ExternalID, identity.ExternalID)
		identity.CommunicationID = cmp.Or(s.Result.Learnt.CommunicationID, identity.CommunicationID)
	}
	switch s.Pending.Report.Kind {
	case bridge.ReportStarted:
		d.identities.put(s.lane.call, s.Result.Learnt)
	case bridge.ReportRegister, bridge.ReportFailed:
		d.identities.forget(s.lane.call)
	}
}

// report counts and logs how a send ended.
func (d *Dispatcher) report(done *settlement) {
	if done.brokenOff {
		return
	}
	report, result := done.Pending.Report, done.Result
	fields := []zap.Field{
		zap.String("call", string(report.Call)),
		zap.String("request", string(report.Kind)),
		zap.Int("attempt", done.Pending.Attempts+1),
		zap.Int("status", result.Status),
	}
	if report.Kind == bridge.ReportEvent {
		fields = append(fields, zap.String("leg", string(report.Leg)), zap.String("event", string(report.Event)))
	}
	d.count(result.Verdict)
	switch result.Verdict {
	case bridge.Delivered:
		d.crmTrouble.over(report.Call)
		d.log.Info("delivered", fields...)
	case bridge.Refused:
		d.crmTrouble.over(report.Call)
		d.log.Error("refused by the CRM for good; kept as a dead letter",
			append(fields, zap.Int64("report", done.Pending.ID), zap.String("reason", result.Reason))...)
	case bridge.Retry:
		d.crmTrouble.because(report.Call, result.Reason, fields...)
	case bridge.Expired:
		d.log.Warn("the CRM could not be told of a recording within a day of its upload; it is uploaded again", fields...)
	}
}

func (d *Dispatcher) count(verdict bridge.Verdict) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch verdict {
	case bridge.Delivered:
		d.stats.Delivered++
	case bridge.Refused:
		d.stats.Refused++
	case bridge.Retry:
		d.stats.Retried++
	}
}
