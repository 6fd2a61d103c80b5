package tracker

import (
	"time"

	"kontur-ari/bridge"
)

// timeOfEvent is the time of the event that caused a report, on the exchange's clock.
type timeOfEvent = time.Time

// start reports a call as started. It returns false, and the call stays silent, if a call
// of that id has already ended or the event has no time.
func (t *Tracker) start(c *call, direction bridge.Direction, clientPhone, vatsPhone string, at timeOfEvent) bool {
	if t.ended.has(c.ID) || at.IsZero() {
		return false
	}
	c.Direction, c.ClientPhone, c.VatsPhone = direction, clientPhone, vatsPhone
	c.CreatedAt = t.stamp(c, at)
	t.started++
	c.Started = t.started
	report := t.callReport(c, bridge.ReportStarted)
	report.Time = c.CreatedAt
	t.report(c, report)
	return true
}

// legEvent reports an event of a leg and makes it the leg's state.
func (t *Tracker) legEvent(c *call, l *leg, event bridge.LegEvent, at timeOfEvent) {
	stamp := t.stamp(c, at)
	l.State = event
	switch event {
	case bridge.LegConnected:
		if l.StartedAt.IsZero() {
			l.StartedAt = stamp
		}
	case bridge.LegDisconnected:
		l.FinishedAt = stamp
	}
	from, to := l.From, l.To
	t.report(c, bridge.Report{
		Kind: bridge.ReportEvent, Call: c.ID, CommunicationID: c.CommunicationID, Time: stamp,
		Leg: l.ID, Event: event, From: &from, To: &to,
	})
}

// reportEnd reports the end of a call: its open legs, its finished event, call-finished and
// register-call. For a click-to-call that failed it reports call-failed instead.
func (t *Tracker) reportEnd(c *call, at timeOfEvent) {
	for _, l := range c.Legs {
		if l.open() {
			t.legEvent(c, l, bridge.LegDisconnected, at)
		}
	}
	last := c.lastLeg()
	if last != nil {
		t.legEvent(c, last, bridge.LegFinished, at)
	}
	if c.cameToNothing(last) {
		t.reportFailed(c, at)
		return
	}
	finished := t.callReport(c, bridge.ReportFinished)
	finished.Time = t.stamp(c, at)
	t.report(c, finished)

	register := t.callReport(c, bridge.ReportRegister)
	register.Time = t.stamp(c, at)
	register.CreatedAt = c.CreatedAt
	for _, l := range c.Legs {
		register.Items = append(register.Items, bridge.Item{ID: l.ID, From: l.From, To: l.To, StartedAt: l.StartedAt, FinishedAt: l.FinishedAt})
	}
	if last == nil {
		// A caller who hangs up before a phone rings is a missed call all the same.
		register.Items = []bridge.Item{{
			ID: bridge.LegID(c.ID), From: bridge.Party{Type: bridge.PartyClient}, To: bridge.Party{Type: bridge.PartyUser}, FinishedAt: finished.Time,
		}}
	}
	t.report(c, register)
	t.leaveUnheard(c)
}

func (t *Tracker) callReport(c *call, kind bridge.ReportKind) bridge.Report {
	return bridge.Report{
		Kind: kind, Call: c.ID, CommunicationID: c.CommunicationID,
		Direction: c.Direction, ClientPhone: c.ClientPhone, VatsPhone: c.VatsPhone,
	}
}

func (t *Tracker) report(c *call, report bridge.Report) {
	t.outcome.Reports = append(t.outcome.Reports, report)
	t.changed(c)
}

// stamp returns the time of the call's next report: that of the event, but never earlier
// than that of the report before.
func (t *Tracker) stamp(c *call, at timeOfEvent) time.Time {
	at = at.UTC().Truncate(time.Millisecond)
	if at.Before(c.Last) {
		return c.Last
	}
	c.Last = at
	return at
}
