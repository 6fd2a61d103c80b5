package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
)

// witness is a store that remembers how reports were settled.
type witness struct {
	*outbox
	mu      sync.Mutex
	settled []string
}

func (w *witness) RecordResults(ctx context.Context, sent []bridge.Sent) error {
	err := w.outbox.RecordResults(ctx, sent)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range sent {
		w.settled = append(w.settled, fmt.Sprint(name(one.Pending.Report), ": ", one.Result.Verdict))
	}
	return err
}

// as are the reports that were settled so, in order.
func (w *witness) as(verdict bridge.Verdict) (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, line := range w.settled {
		if of, found := strings.CutSuffix(line, fmt.Sprint(": ", verdict)); found {
			names = append(names, of)
		}
	}
	return names
}

// callRecording is of a file that was uploaded at a moment.
func callRecording(call bridge.CallID, leg bridge.LegID, uploaded time.Time) bridge.Report {
	return bridge.Report{Kind: bridge.ReportRecording, Call: call, Leg: leg, FileID: "f", Time: uploaded, Uploaded: uploaded}
}

// expiry is the age of an upload at which its call-recording expires: an hour less than
// the CRM keeps the file.
const expiry = bridge.FileLifetime - time.Hour

func TestAnExpiredReportIsNotSentAndItsCallGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &witness{outbox: openStore(t)}
		crm := newRemote(takeAll)
		now := time.Now()
		reports := []bridge.Report{
			{Kind: bridge.ReportRegister, Call: "call"},
			callRecording("call", "in time", now.Add(-expiry)),
			callRecording("call", "expired", now.Add(-expiry-time.Millisecond)),
			callRecording("call", "long expired", now.Add(-30*bridge.FileLifetime)),
			callRecording("call", "of this moment", now),
			{Kind: bridge.ReportEvent, Call: "call", Leg: "of a long outage", Time: now.Add(-30 * bridge.FileLifetime)},
			callRecording("another", "alone", now.Add(-2*expiry)),
		}
		s.add(t, reports...)
		core, logs := observer.New(zap.WarnLevel)
		d := newDispatcher(s, crm, 2, zap.New(core))
		stop := start(t, d)
		waitEmpty(t, s.outbox)
		d.Drain(t.Context())
		stats := d.Stats()
		stop()
		want := []string{name(reports[0]), name(reports[1]), name(reports[4]), name(reports[5])}
		if diff := cmp.Diff(want, crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
		expired := s.as(bridge.Expired)
		slices.Sort(expired)
		if diff := cmp.Diff([]string{name(reports[6]), name(reports[2]), name(reports[3])}, expired); diff != "" {
			t.Errorf("settled as expired (-want +got):\n%s", diff)
		}
		if stats.Delivered != 4 || stats.Refused+stats.Retried != 0 || stats.Gate != "open" || stats.Ready+stats.Busy+stats.Waiting != 0 {
			t.Errorf("stats %+v", stats)
		}
		if logs.Len() != 3 {
			t.Errorf("%d warnings, want one for each that expired: %v", logs.Len(), logs.All())
		}
	})
}

// A report that was tried in time expires while it waits. It is not tried any more.
func TestAReportThatExpiresBetweenTwoTriesIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &witness{outbox: openStore(t)}
		expires := time.Now().Add(time.Minute)
		var last time.Time
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			if report.Kind != bridge.ReportRecording {
				return takeAll(report, attempt)
			}
			last = time.Now()
			return bridge.Result{Verdict: bridge.Retry, Reason: "HTTP 500", Status: 500}
		})
		behind := bridge.Report{Kind: bridge.ReportEvent, Call: "call", Leg: "behind it"}
		s.add(t, callRecording("call", "leg", expires.Add(-expiry)), behind)
		d := newDispatcher(s, crm, 2, zap.NewNop())
		stop := start(t, d)
		time.Sleep(time.Until(expires))
		waitEmpty(t, s.outbox)
		ended := time.Now()
		stop()
		if last.IsZero() || last.After(expires) {
			t.Errorf("it was tried last at %v, and expired at %v", last, expires)
		}
		// The longest pause is of 30 seconds.
		if !ended.After(expires) || ended.After(expires.Add(31*time.Second)) {
			t.Errorf("the line was empty at %v, and it expired at %v", ended, expires)
		}
		if diff := cmp.Diff([]string{name(behind)}, crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
		if got := s.as(bridge.Expired); len(got) != 1 || d.Stats().Gate != "open" {
			t.Errorf("expired %v, the gate is %s", got, d.Stats().Gate)
		}
	})
}

// outage is a CRM that can't be reached until a moment; probes are when it was tried.
func outage(back time.Time, probes *[]time.Time) *remote {
	return newRemote(func(report bridge.Report, attempt int) bridge.Result {
		if time.Now().Before(back) {
			*probes = append(*probes, time.Now())
			return bridge.Result{Verdict: bridge.Retry, Reason: "refused", Everybody: true, NotTaken: true}
		}
		return takeAll(report, attempt)
	})
}

func TestExpiredReportsLeaveAShutGateAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &witness{outbox: openStore(t)}
		began := time.Now()
		var probes []time.Time
		crm := outage(began.Add(30*time.Minute), &probes)
		// They expire while the CRM is down, in a crowd as well as one by one.
		const crowd = 60
		for n := range crowd {
			s.add(t, callRecording(bridge.CallID(fmt.Sprint("crowd", n)), "leg", began.Add(5*time.Minute-expiry)))
			s.add(t, callRecording(bridge.CallID(fmt.Sprint("late", n)), "leg", began.Add(time.Duration(5*60+20*n)*time.Second-expiry)))
		}
		s.add(t, bridge.Report{Kind: bridge.ReportEvent, Call: "good"})
		d := newDispatcher(s, crm, 8, zap.NewNop())
		stop := start(t, d)
		states := make(map[string]int)
		for time.Since(began) < 30*time.Minute-time.Second {
			time.Sleep(time.Second)
			states[d.Stats().Gate]++
		}
		if diff := cmp.Diff(map[string]int{"shut": 30*60 - 1}, states); diff != "" {
			t.Errorf("the gate's state each second (-want +got):\n%s", diff)
		}
		if expired := len(s.as(bridge.Expired)); expired != 2*crowd {
			t.Errorf("%d reports expired while the CRM was down, want %d", expired, 2*crowd)
		}
		// As often as with nothing that expires: pauses of 15 to 30 seconds, after the first
		// requests, all at once, and a few short pauses.
		if len(probes) < 60 || len(probes) > 140 {
			t.Errorf("the CRM was tried %d times in half an hour", len(probes))
		}
		waitEmpty(t, s.outbox)
		back := time.Since(began)
		stop()
		if diff := cmp.Diff([]string{"good call-event "}, crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
		if back > 31*time.Minute || d.Stats().Gate == "shut" {
			t.Errorf("the line was empty after %v, and the gate is %s", back, d.Stats().Gate)
		}
	})
}

// The dispatcher sends no expired report, so these don't show that the CRM is back. The
// gate stays shut until a report arrives that has not expired.
func TestAGateThatOnlyExpiredReportsComeToStaysShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &witness{outbox: openStore(t)}
		began := time.Now()
		var probes []time.Time
		crm := outage(began.Add(10*time.Minute), &probes)
		s.add(t, callRecording("first", "leg", began.Add(9*time.Minute-expiry)))
		d := newDispatcher(s, crm, 8, zap.NewNop())
		stop := start(t, d)
		time.Sleep(9 * time.Minute)
		waitEmpty(t, s.outbox)
		s.news()
		for n := range 20 {
			s.add(t, callRecording(bridge.CallID(fmt.Sprint("later", n)), "leg", began.Add(-expiry)))
			d.Wake(s.news())
			time.Sleep(time.Minute)
		}
		if gate := d.Stats().Gate; gate != "shut" || len(crm.received()) != 0 {
			t.Errorf("the gate is %s, received %v", gate, crm.received())
		}
		if expired := len(s.as(bridge.Expired)); expired != 21 {
			t.Errorf("%d reports were settled as expired, want 21", expired)
		}
		s.add(t, bridge.Report{Kind: bridge.ReportEvent, Call: "good"})
		d.Wake(s.news())
		waitEmpty(t, s.outbox)
		stop()
		if diff := cmp.Diff([]string{"good call-event "}, crm.received()); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
		if gate := d.Stats().Gate; gate == "shut" {
			t.Errorf("the gate is %s after a report that got through", gate)
		}
	})
}

// Failures in a row shut the gate; what expires between them neither counts as one nor
// breaks the row.
func TestExpiredReportsAreNeitherFailuresNorSuccesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &witness{outbox: openStore(t)}
		expired := time.Now().Add(-2 * expiry)
		tries, shutAt := 0, 0
		var d *delivery.Dispatcher
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			if tries++; shutAt == 0 && d.Stats().Gate == "shut" {
				shutAt = tries
			}
			if tries > 10 {
				return takeAll(report, attempt)
			}
			return bridge.Result{Verdict: bridge.Retry, Reason: "no answer in time"}
		})
		for n := range 10 {
			for i := range 3 {
				s.add(t, callRecording(bridge.CallID(fmt.Sprint("expired", n, i)), "leg", expired))
			}
			s.add(t, bridge.Report{Kind: bridge.ReportEvent, Call: bridge.CallID(fmt.Sprint("call", n))})
		}
		d = newDispatcher(s, crm, 1, zap.NewNop())
		stop := start(t, d)
		waitEmpty(t, s.outbox)
		stop()
		// The fifth failure in a row shuts it: the sixth request finds it shut.
		if shutAt != 6 {
			t.Errorf("the gate was found shut by request %d, want the sixth", shutAt)
		}
		if got := len(s.as(bridge.Expired)); got != 30 || len(crm.received()) != 10 {
			t.Errorf("%d expired, %d were received; want 30 and 10", got, len(crm.received()))
		}
	})
}
