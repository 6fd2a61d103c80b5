package pbxtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"kontur-ari/bridge"
)

// Ledger judges reports by the rules that hold for any input: which reports a call and a leg
// may have, and in which order. It knows nothing of events. See [NewLedger].
type Ledger struct {
	calls map[bridge.CallID]*account
	// recorded is what Record has taken.
	recorded []bridge.Recorded
	// Orderly: no event comes twice, so Record refuses a channel that comes twice. Set it
	// before the first Record.
	Orderly bool
}

// account is one call in the ledger.
type account struct {
	started  bridge.Report
	last     time.Time
	legs     []*legAccount
	finished bridge.LegID
	closed   bool
	register bool
}

type legAccount struct {
	id          bridge.LegID
	from, to    bridge.Party
	state       bridge.LegEvent
	connectedAt time.Time
	connected   bool
	overAt      time.Time
}

// NewLedger returns a Ledger without calls.
func NewLedger() *Ledger { return &Ledger{calls: make(map[bridge.CallID]*account)} }

// Enter takes the next report. The error says which rule it breaks.
func (l *Ledger) Enter(r bridge.Report) error {
	a := l.calls[r.Call]
	if r.Kind == bridge.ReportStarted {
		return l.open(r)
	}
	switch {
	case r.Kind == bridge.ReportFailed && r.CommunicationID == "":
		return errors.New("call-failed of a call that the CRM has not commanded")
	case r.Kind == bridge.ReportFailed && a == nil:
		// Not even a phone was called.
		l.calls[r.Call] = &account{last: r.Time, closed: true, register: true}
		return nil
	case a == nil:
		return fmt.Errorf("%s before call-started", r.Kind)
	case r.Time.Before(a.last):
		return fmt.Errorf("%s at %v, earlier than the call's last report at %v", r.Kind, r.Time, a.last)
	case a.register:
		return fmt.Errorf("%s after register-call", r.Kind)
	case a.closed && r.Kind != bridge.ReportRegister:
		return fmt.Errorf("%s after call-finished", r.Kind)
	}
	a.last = r.Time
	switch r.Kind {
	case bridge.ReportEvent:
		return a.legEvent(r)
	case bridge.ReportFinished:
		return a.close(r)
	case bridge.ReportFailed:
		a.register = true
		if slices.ContainsFunc(a.legs, func(leg *legAccount) bool { return leg.connected }) {
			return errors.New("call-failed although a leg was connected")
		}
		return a.close(a.started)
	case bridge.ReportRegister:
		return a.registered(r)
	}
	return fmt.Errorf("a report of kind %q", r.Kind)
}

func (l *Ledger) open(r bridge.Report) error {
	switch {
	case l.calls[r.Call] != nil:
		return errors.New("call-started a second time")
	case r.Direction != bridge.Inbound && r.Direction != bridge.Outbound && r.Direction != bridge.Internal:
		return fmt.Errorf("call-started with direction %q", r.Direction)
	case r.Direction == bridge.Internal && r.ClientPhone != "":
		return errors.New("an internal call with a client")
	}
	l.calls[r.Call] = &account{started: r, last: r.Time}
	return nil
}

func (a *account) leg(id bridge.LegID) *legAccount {
	for _, leg := range a.legs {
		if leg.id == id {
			return leg
		}
	}
	return nil
}

func (a *account) legEvent(r bridge.Report) error {
	if r.From == nil || r.To == nil || r.Leg == "" {
		return fmt.Errorf("%s without a leg or its parties", r.Event)
	}
	leg := a.leg(r.Leg)
	if r.Event == bridge.LegAppeared {
		if leg != nil {
			return fmt.Errorf("leg %s appears twice", r.Leg)
		}
		a.legs = append(a.legs, &legAccount{id: r.Leg, from: *r.From, to: *r.To, state: r.Event})
		return nil
	}
	if leg == nil {
		return fmt.Errorf("leg %s is %s before it appeared", r.Leg, r.Event)
	}
	if leg.from != *r.From || leg.to != *r.To {
		return fmt.Errorf("leg %s has other parties than it appeared with", r.Leg)
	}
	if !slices.Contains(mayFollow[leg.state], r.Event) {
		return fmt.Errorf("leg %s is %s after %s", r.Leg, r.Event, leg.state)
	}
	leg.state = r.Event
	switch r.Event {
	case bridge.LegConnected:
		if !leg.connected {
			leg.connected, leg.connectedAt = true, r.Time
		}
	case bridge.LegDisconnected:
		leg.overAt = r.Time
	case bridge.LegFinished:
		return a.finish(leg)
	}
	return nil
}

// mayFollow lists the call-events that may follow each.
var mayFollow = map[bridge.LegEvent][]bridge.LegEvent{
	bridge.LegAppeared:     {bridge.LegConnected, bridge.LegDisconnected},
	bridge.LegConnected:    {bridge.LegPaused, bridge.LegDisconnected},
	bridge.LegPaused:       {bridge.LegConnected, bridge.LegDisconnected},
	bridge.LegDisconnected: {bridge.LegFinished},
}

func (a *account) finish(leg *legAccount) error {
	if a.finished != "" {
		return fmt.Errorf("finished on %s after it was on %s", leg.id, a.finished)
	}
	a.finished = leg.id
	for _, other := range a.legs {
		if other != leg && other.state != bridge.LegDisconnected {
			return fmt.Errorf("finished while leg %s is %s", other.id, other.state)
		}
		if other.connected && (!leg.connected || other.connectedAt.After(leg.connectedAt)) {
			return fmt.Errorf("finished on %s although %s was connected last", leg.id, other.id)
		}
	}
	return nil
}

func (a *account) close(r bridge.Report) error {
	a.closed = true
	if len(a.legs) > 0 && a.finished == "" {
		return errors.New("call-finished without a finished leg")
	}
	return a.sameCall(r)
}

// sameCall compares a report's description of the call with that of call-started. In a
// click-to-call our number may become known later.
func (a *account) sameCall(r bridge.Report) error {
	if a.started.VatsPhone == "" && r.CommunicationID != "" {
		a.started.VatsPhone = r.VatsPhone
	}
	if r.Direction != a.started.Direction || r.ClientPhone != a.started.ClientPhone || r.VatsPhone != a.started.VatsPhone {
		return fmt.Errorf("%s describes another call than call-started", r.Kind)
	}
	return nil
}

func (a *account) registered(r bridge.Report) error {
	a.register = true
	if !a.closed {
		return errors.New("register-call before call-finished")
	}
	if !r.CreatedAt.Equal(a.started.Time) {
		return errors.New("register-call with another createdAt than call-started's time")
	}
	if len(a.legs) == 0 {
		if len(r.Items) != 1 || r.Items[0].ID != bridge.LegID(r.Call) || !r.Items[0].StartedAt.IsZero() || r.Items[0].To.UserID != "" {
			return errors.New("register-call of a call without legs must have one unanswered item without a user")
		}
		return a.sameCall(r)
	}
	if len(r.Items) != len(a.legs) {
		return fmt.Errorf("register-call with %d items for %d legs", len(r.Items), len(a.legs))
	}
	for i, item := range r.Items {
		leg := a.legs[i]
		want := bridge.Item{ID: leg.id, From: leg.from, To: leg.to, StartedAt: leg.connectedAt, FinishedAt: leg.overAt}
		if !reflect.DeepEqual(item, want) {
			return fmt.Errorf("item %+v of register-call disagrees with what the leg's events said: %+v", item, want)
		}
	}
	return a.sameCall(r)
}

// Settled returns an error if a started call is not registered, or if a recording belongs to
// no leg that was reported.
func (l *Ledger) Settled() error {
	for id, a := range l.calls {
		if !a.register {
			return fmt.Errorf("call %s was started and never registered", id)
		}
	}
	for _, r := range l.recorded {
		if err := l.calls[r.Call].owns(r); err != nil {
			return fmt.Errorf("recordings of channel %s, call %s, leg %s: %w", r.Channel, r.Call, r.Leg, err)
		}
	}
	return nil
}

// owns judges the leg that a channel's recordings are assigned to.
func (a *account) owns(r bridge.Recorded) error {
	if a == nil {
		return errors.New("no such call was reported")
	}
	leg := a.leg(r.Leg)
	switch {
	case len(a.legs) == 0 && r.Leg == bridge.LegID(r.Call) && !r.Talked():
		return nil
	case leg == nil:
		return errors.New("no such leg was reported")
	case r.Talked() && (!leg.connected || !leg.connectedAt.Equal(r.Since)):
		return fmt.Errorf("that leg was not connected at %v", r.Since)
	case r.To.Before(r.From):
		return fmt.Errorf("from %v to %v", r.From, r.To)
	case !leg.connected && slices.ContainsFunc(a.legs, func(other *legAccount) bool { return other.connected }):
		return errors.New("that leg's phone only rang, and another was answered")
	}
	return nil
}

// Record takes a channel that may have recordings.
func (l *Ledger) Record(r bridge.Recorded) error {
	for _, before := range l.recorded {
		if l.Orderly && len(r.Stored) == 0 && len(before.Stored) == 0 && before.Channel == r.Channel && before.From.Equal(r.From) && !r.From.IsZero() {
			return fmt.Errorf("the recordings of channel %s are reported twice", r.Channel)
		}
	}
	l.recorded = append(l.recorded, r)
	return nil
}

// Calls returns how many calls have been entered.
func (l *Ledger) Calls() int { return len(l.calls) }

// Recorded returns what Record has taken, in order.
func (l *Ledger) Recorded() []bridge.Recorded { return l.recorded }
