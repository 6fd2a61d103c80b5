package bridge

import (
	"slices"
	"strings"
)

// ordered begins the call of an order. Nothing is reported until its first phone
// is called: an order that comes to nothing at once was refused at once.
func (t *Tracker) ordered(event Event) {
	if event.Order == nil || event.Order.Order.CommunicationID == "" || event.Time.IsZero() {
		return
	}
	given := event.Order.Order
	id := given.Call()
	if t.calls[id] != nil || t.ended.has(id) {
		return
	}
	c := &call{ID: id, CommunicationID: given.CommunicationID, Order: &order{Order: given, Pending: true}}
	t.calls[id] = c
	t.changed(c)
}

// orderSettled takes what became of the attempt to ring. It may come before the
// events of the phones that ring, and after their end.
func (t *Tracker) orderSettled(event Event) {
	if event.Order == nil {
		return
	}
	c := t.calls[event.Order.Order.Call()]
	if c == nil || c.Order == nil || !c.Order.Pending {
		return
	}
	c.Order.Pending, c.Order.SettledAt = false, event.Time
	c.Order.Rung = event.Order.Rung
	c.Order.Refused = event.Order.Settlement == OrderRefused
	if event.Order.Settlement != OrderPlaced && c.Order.Cause == "" {
		c.Order.Cause = FailedSwitch
		if event.Order.Status == RefusedOffline {
			c.Order.Cause = FailedOffline
		}
	}
	t.changed(c)
	for _, ch := range c.Channels {
		t.hangUpStray(ch, nil)
	}
}

// awaited tells whether a phone is rung of which nothing was heard yet.
func (o *order) awaited() bool {
	return slices.ContainsFunc(o.Rung, func(id ChannelID) bool { return !slices.Contains(o.Heard, id) })
}

// orderFor is the order that a channel was made for, with its call; nil for none.
func (t *Tracker) orderFor(ch *channel) *order {
	if ch.call.Order != nil && orderedCall(ch.ID) == ch.call.ID {
		return ch.call.Order
	}
	return nil
}

// phoneCalled: a phone of an order is called now. All of them are one leg, from the
// user to whom is dialled when one of them is picked up.
func (t *Tracker) phoneCalled(own *channel, at timeOfEvent) {
	c, o := own.call, t.orderFor(own)
	if o == nil {
		return
	}
	if c.silent() {
		direction, client := Outbound, o.Number
		if o.To != "" {
			direction, client = Internal, ""
		}
		if !t.start(c, direction, client, "", at) {
			return
		}
	}
	switch l := c.orderedLeg(); {
	case l == nil:
		to := Party{Type: PartyClient}
		if o.To != "" {
			to = Party{Type: PartyUser, UserID: o.To}
		}
		t.appear(c, own, own, Party{Type: PartyUser, UserID: o.From}, to, at)
	case l.State == LegAppeared && c.openLegOf(own.ID) == nil:
		l.Channels = append(l.Channels, own.ID)
		t.changed(c)
	}
}

// orderedLeg is the leg of an order's phones; nil until the first is called.
func (c *call) orderedLeg() *leg {
	if c.Order == nil || len(c.Legs) == 0 {
		return nil
	}
	return c.Legs[0]
}

// phoneRings: a phone of an order is known to ring.
func (t *Tracker) phoneRings(own *channel) {
	if o := t.orderFor(own); o != nil && !o.Rang {
		o.Rang = true
		t.changed(own.call)
	}
}

// pickedUpPhone: a phone of an order is picked up. The first one dials on; the
// others, also one that was picked up a moment later, are hung up.
func (t *Tracker) pickedUpPhone(own *channel) {
	o := t.orderFor(own)
	switch {
	case o == nil || o.PickedUp == own.ID:
	case t.strayed(own):
		t.act(ActionHangup, own)
	case o.PickedUp != "":
		t.act(ActionHangup, own)
	default:
		o.PickedUp = own.ID
		if l := own.call.orderedLeg(); l != nil {
			l.Caller = own.ID
		}
		t.changed(own.call)
		t.act(ActionDial, own)
		for _, other := range own.call.Channels {
			if other != own && t.orderFor(other) != nil {
				t.act(ActionHangup, other)
			}
		}
	}
}

// dialsAsOrdered tells whether a channel dials what its order says, as it does from
// when it is picked up until it has talked; or has done so unheard.
func (t *Tracker) dialsAsOrdered(own *channel) bool {
	o := t.orderFor(own)
	if o == nil || o.PickedUp != "" && o.PickedUp != own.ID {
		return false
	}
	l := own.call.openLegOf(own.ID)
	return l != nil && l == own.call.orderedLeg() && (l.State == LegAppeared || !o.Dialled)
}

// orderDials: the phone that was picked up dials. Its leg is there already, and
// goes through all attempts.
func (t *Tracker) orderDials(own, peer *channel) {
	c := own.call
	// That it was picked up may not have been told.
	c.Order.PickedUp, c.orderedLeg().Caller = own.ID, own.ID
	c.Order.Dialled = true
	if peer.side == outside && c.VatsPhone == "" && c.Direction == Outbound {
		c.VatsPhone = t.numberShown(own, peer)
	}
	t.changed(c)
}

func (t *Tracker) act(kind ActionKind, own *channel) {
	action := Action{Kind: kind, Call: own.call.ID, Channel: own.ID}
	if kind == ActionDial {
		action.Number = own.call.Order.Number
	}
	if !slices.Contains(t.outcome.Actions, action) {
		t.outcome.Actions = append(t.outcome.Actions, action)
	}
}

// takeUpPhones brings the phones of orders to where a snapshot shows them: one may
// ring, or was picked up, unheard. One that was picked up and waits still is to dial
// on: whoever was to tell it so may have died before.
func (t *Tracker) takeUpPhones(live map[ChannelID]*Channel, at timeOfEvent) {
	for _, id := range t.callIDs() {
		c := t.calls[id]
		for _, ch := range c.Channels {
			t.hangUpStray(ch, live[ch.ID])
		}
		if c.Order == nil {
			continue
		}
		if !c.Order.Pending && c.Order.SettledAt.Before(at) && c.Order.awaited() {
			// It is here or was.
			c.Order.Heard = slices.Clone(c.Order.Rung)
			t.changed(c)
		}
		for _, own := range c.Channels {
			seen := live[own.ID]
			if seen == nil || t.orderFor(own) == nil || seen.State == StateDown {
				continue
			}
			t.phoneCalled(own, at)
			if seen.State != StateUp {
				continue
			}
			if c.Order.PickedUp == own.ID && seen.Waits {
				t.act(ActionDial, own)
			}
			t.pickedUpPhone(own)
		}
	}
}

// hangUpStray ends the channel of a phone that is not rung, as far as anybody knows:
// of an order that was refused or given up, or made by a request of which Asterisk has
// not said that it obeyed. It would stay for ever, or dial what nobody waits for.
func (t *Tracker) hangUpStray(ch *channel, seen *Channel) {
	waits := seen != nil && (seen.State == StateDown || seen.Waits)
	nobodys := strings.HasPrefix(string(ch.ID), t.policy.Application+orderMark) && ch.call.Order == nil
	if nobodys && waits || t.strayed(ch) {
		t.act(ActionHangup, ch)
	}
}

// strayed tells it of a channel whose order is known.
func (t *Tracker) strayed(ch *channel) bool {
	o := t.orderFor(ch)
	return o != nil && !o.Pending && !o.Dialled && !slices.Contains(o.Rung, ch.ID)
}

// phoneMissed: a phone of an order is found gone. If it was picked up, nobody knows
// whether it has dialled: then it is not said that it has not.
func (t *Tracker) phoneMissed(own *channel) {
	if o := t.orderFor(own); o != nil && o.PickedUp == own.ID {
		o.Dialled = true
	}
}

// endUnseen notes that a phone has come and gone whose coming was not told: it is
// waited for no more.
func (t *Tracker) endUnseen(id ChannelID) {
	if c := t.calls[orderedCall(id)]; c != nil && c.Order != nil && !slices.Contains(c.Order.Heard, id) {
		c.Order.Heard = append(c.Order.Heard, id)
		t.changed(c)
	}
}

// phoneGone keeps why a phone of an order is called no more.
func (t *Tracker) phoneGone(own *channel, cause int) {
	o := t.orderFor(own)
	if o == nil || o.PickedUp != "" && o.PickedUp != own.ID || cause == causeAnsweredElsewhere {
		return
	}
	o.Cause = failureCause(cause, o.Rang, o.PickedUp != "")
	t.changed(own.call)
}

// Causes of ITU-T Q.850, as Asterisk 22 shows them at the end of a channel.
const (
	causeUnallocated       = 1
	causeNormalClearing    = 16
	causeUserBusy          = 17
	causeNoUserResponding  = 18
	causeNoAnswer          = 19
	causeSubscriberAbsent  = 20
	causeCallRejected      = 21
	causeAnsweredElsewhere = 26
	causeDestinationBroken = 27
)

func failureCause(cause int, rang, pickedUp bool) FailureCause {
	switch {
	case pickedUp:
		return FailedDialplan
	case cause == causeNoAnswer && !rang:
		return FailedOffline
	}
	switch cause {
	case causeUserBusy:
		return FailedBusy
	case causeCallRejected:
		return FailedDeclined
	case causeUnallocated, causeNoUserResponding, causeSubscriberAbsent, causeDestinationBroken:
		return FailedOffline
	case causeNormalClearing:
		return FailedHungUp
	case causeNoAnswer:
		return FailedNoAnswer
	}
	return FailedSwitch
}

// cameToNothing tells of an ordered call that nobody was dialled in it; last is its
// last leg.
func (c *call) cameToNothing(last *leg) bool {
	return c.silent() || c.Order != nil && !c.Order.Dialled && (last == nil || last.StartedAt.IsZero())
}

// reportFailed reports that nobody was dialled: instead of the call's end, and
// alone where not even a phone was called. It says nothing where the CRM knows.
func (t *Tracker) reportFailed(c *call, at timeOfEvent) {
	if c.silent() && c.Order.Refused {
		return
	}
	report := Report{Kind: ReportFailed, Call: c.ID, CommunicationID: c.CommunicationID, Time: t.stamp(c, at)}
	t.report(c, report)
	cause := c.Order.Cause
	if cause == "" {
		cause = FailedSwitch
	}
	t.outcome.Failures = append(t.outcome.Failures, Failure{Call: c.ID, CommunicationID: c.CommunicationID, Cause: cause})
}
