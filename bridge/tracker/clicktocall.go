package tracker

import (
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// clickToCallGiven begins the call of an order. Nothing is reported until its first phone
// is called: an order that comes to nothing at once was refused at once.
func (t *Tracker) clickToCallGiven(event bridge.Event) {
	if event.ClickToCall == nil || event.ClickToCall.ClickToCall.CommunicationID == "" || event.Time.IsZero() {
		return
	}
	given := event.ClickToCall.ClickToCall
	id := given.Call()
	if t.calls[id] != nil || t.ended.has(id) {
		return
	}
	c := &call{ID: id, CommunicationID: given.CommunicationID, ClickToCall: &clickToCall{ClickToCall: given, Pending: true}}
	t.calls[id] = c
	t.changed(c)
}

// clickToCallResult takes what became of the attempt to ring. It may come before the
// events of the phones that ring, and after their end.
func (t *Tracker) clickToCallResult(event bridge.Event) {
	if event.ClickToCall == nil {
		return
	}
	c := t.calls[event.ClickToCall.ClickToCall.Call()]
	if c == nil || c.ClickToCall == nil || !c.ClickToCall.Pending {
		return
	}
	c.ClickToCall.Pending, c.ClickToCall.SettledAt = false, event.Time
	c.ClickToCall.Rung = event.ClickToCall.Rung
	c.ClickToCall.Refused = event.ClickToCall.Result == bridge.ClickRefused
	if event.ClickToCall.Result != bridge.ClickPlaced && c.ClickToCall.Cause == "" {
		c.ClickToCall.Cause = bridge.FailedSwitch
		if event.ClickToCall.Status == bridge.RefusedOffline {
			c.ClickToCall.Cause = bridge.FailedOffline
		}
	}
	t.changed(c)
	for _, ch := range c.Channels {
		t.hangUpStray(ch, nil)
	}
}

// awaited tells whether a phone is rung of which nothing was heard yet.
func (o *clickToCall) awaited() bool {
	return slices.ContainsFunc(o.Rung, func(id bridge.ChannelID) bool { return !slices.Contains(o.Heard, id) })
}

// clickToCallFor is the order that a channel was made for, with its call; nil for none.
func (t *Tracker) clickToCallFor(ch *channel) *clickToCall {
	if ch.call.ClickToCall != nil && bridge.CallOfClick(ch.ID) == ch.call.ID {
		return ch.call.ClickToCall
	}
	return nil
}

// phoneCalled: a phone of an order is called now. All of them are one leg, from the
// user to whom is dialled when one of them is picked up.
func (t *Tracker) phoneCalled(own *channel, at timeOfEvent) {
	c, o := own.call, t.clickToCallFor(own)
	if o == nil {
		return
	}
	if c.silent() {
		direction, client := bridge.Outbound, o.Number
		if o.To != "" {
			direction, client = bridge.Internal, ""
		}
		if !t.start(c, direction, client, "", at) {
			return
		}
	}
	switch l := c.clickedLeg(); {
	case l == nil:
		to := bridge.Party{Type: bridge.PartyClient}
		if o.To != "" {
			to = bridge.Party{Type: bridge.PartyUser, UserID: o.To}
		}
		t.startLeg(c, own, own, bridge.Party{Type: bridge.PartyUser, UserID: o.From}, to, at)
	case l.State == bridge.LegAppeared && c.openLegOf(own.ID) == nil:
		l.Channels = append(l.Channels, own.ID)
		t.changed(c)
	}
}

// clickedLeg is the leg of an order's phones; nil until the first is called.
func (c *call) clickedLeg() *leg {
	if c.ClickToCall == nil || len(c.Legs) == 0 {
		return nil
	}
	return c.Legs[0]
}

// phoneRings: a phone of an order is known to ring.
func (t *Tracker) phoneRings(own *channel) {
	if o := t.clickToCallFor(own); o != nil && !o.Rang {
		o.Rang = true
		t.changed(own.call)
	}
}

// pickedUpPhone: a phone of an order is picked up. The first one dials on; the
// others, also one that was picked up a moment later, are hung up.
func (t *Tracker) pickedUpPhone(own *channel) {
	o := t.clickToCallFor(own)
	switch {
	case o == nil || o.PickedUp == own.ID:
	case t.strayed(own):
		t.act(bridge.ActionHangup, own)
	case o.PickedUp != "":
		t.act(bridge.ActionHangup, own)
	default:
		o.PickedUp = own.ID
		if l := own.call.clickedLeg(); l != nil {
			l.Caller = own.ID
		}
		t.changed(own.call)
		t.act(bridge.ActionDial, own)
		for _, other := range own.call.Channels {
			if other != own && t.clickToCallFor(other) != nil {
				t.act(bridge.ActionHangup, other)
			}
		}
	}
}

// dialsForClick tells whether a channel dials what its order says, as it does from
// when it is picked up until it has talked; or has done so unheard.
func (t *Tracker) dialsForClick(own *channel) bool {
	o := t.clickToCallFor(own)
	if o == nil || o.PickedUp != "" && o.PickedUp != own.ID {
		return false
	}
	l := own.call.openLegOf(own.ID)
	return l != nil && l == own.call.clickedLeg() && (l.State == bridge.LegAppeared || !o.Dialled)
}

// clickDials: the phone that was picked up dials. Its leg is there already, and
// goes through all attempts.
func (t *Tracker) clickDials(own, peer *channel) {
	c := own.call
	// That it was picked up may not have been told.
	c.ClickToCall.PickedUp, c.clickedLeg().Caller = own.ID, own.ID
	c.ClickToCall.Dialled = true
	if peer.side == directory.Outside && c.VatsPhone == "" && c.Direction == bridge.Outbound {
		c.VatsPhone = t.numberShown(own, peer)
	}
	t.changed(c)
}

func (t *Tracker) act(kind bridge.ActionKind, own *channel) {
	action := bridge.Action{Kind: kind, Call: own.call.ID, Channel: own.ID}
	if kind == bridge.ActionDial {
		action.Number = own.call.ClickToCall.Number
	}
	if !slices.Contains(t.outcome.Actions, action) {
		t.outcome.Actions = append(t.outcome.Actions, action)
	}
}

// takeUpPhones brings the phones of orders to where a snapshot shows them: one may
// ring, or was picked up, unheard. One that was picked up and waits still is to dial
// on: whoever was to tell it so may have died before.
func (t *Tracker) takeUpPhones(live map[bridge.ChannelID]*bridge.Channel, at timeOfEvent) {
	for _, id := range t.callIDs() {
		c := t.calls[id]
		for _, ch := range c.Channels {
			t.hangUpStray(ch, live[ch.ID])
		}
		if c.ClickToCall == nil {
			continue
		}
		if !c.ClickToCall.Pending && c.ClickToCall.SettledAt.Before(at) && c.ClickToCall.awaited() {
			// It is here or was.
			c.ClickToCall.Heard = slices.Clone(c.ClickToCall.Rung)
			t.changed(c)
		}
		for _, own := range c.Channels {
			seen := live[own.ID]
			if seen == nil || t.clickToCallFor(own) == nil || seen.State == bridge.StateDown {
				continue
			}
			t.phoneCalled(own, at)
			if seen.State != bridge.StateUp {
				continue
			}
			if c.ClickToCall.PickedUp == own.ID && seen.Waits {
				t.act(bridge.ActionDial, own)
			}
			t.pickedUpPhone(own)
		}
	}
}

// hangUpStray ends the channel of a phone that is not rung, as far as anybody knows:
// of an order that was refused or given up, or made by a request of which Asterisk has
// not said that it obeyed. It would stay for ever, or dial what nobody waits for.
func (t *Tracker) hangUpStray(ch *channel, seen *bridge.Channel) {
	waits := seen != nil && (seen.State == bridge.StateDown || seen.Waits)
	nobodys := strings.HasPrefix(string(ch.ID), t.policy.Application+bridge.ClickToCallMark) && ch.call.ClickToCall == nil
	if nobodys && waits || t.strayed(ch) {
		t.act(bridge.ActionHangup, ch)
	}
}

// strayed tells it of a channel whose order is known.
func (t *Tracker) strayed(ch *channel) bool {
	o := t.clickToCallFor(ch)
	return o != nil && !o.Pending && !o.Dialled && !slices.Contains(o.Rung, ch.ID)
}

// phoneMissed: a phone of an order is found gone. If it was picked up, nobody knows
// whether it has dialled: then it is not said that it has not.
func (t *Tracker) phoneMissed(own *channel) {
	if o := t.clickToCallFor(own); o != nil && o.PickedUp == own.ID {
		o.Dialled = true
	}
}

// endUnseen notes that a phone has come and gone whose coming was not told: it is
// waited for no more.
func (t *Tracker) endUnseen(id bridge.ChannelID) {
	if c := t.calls[bridge.CallOfClick(id)]; c != nil && c.ClickToCall != nil && !slices.Contains(c.ClickToCall.Heard, id) {
		c.ClickToCall.Heard = append(c.ClickToCall.Heard, id)
		t.changed(c)
	}
}

// phoneGone keeps why a phone of an order is called no more.
func (t *Tracker) phoneGone(own *channel, cause int) {
	o := t.clickToCallFor(own)
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

func failureCause(cause int, rang, pickedUp bool) bridge.FailureCause {
	switch {
	case pickedUp:
		return bridge.FailedDialplan
	case cause == causeNoAnswer && !rang:
		return bridge.FailedOffline
	}
	switch cause {
	case causeUserBusy:
		return bridge.FailedBusy
	case causeCallRejected:
		return bridge.FailedDeclined
	case causeUnallocated, causeNoUserResponding, causeSubscriberAbsent, causeDestinationBroken:
		return bridge.FailedOffline
	case causeNormalClearing:
		return bridge.FailedHungUp
	case causeNoAnswer:
		return bridge.FailedNoAnswer
	}
	return bridge.FailedSwitch
}

// cameToNothing tells of an ordered call that nobody was dialled in it; last is its
// last leg.
func (c *call) cameToNothing(last *leg) bool {
	return c.silent() || c.ClickToCall != nil && !c.ClickToCall.Dialled && (last == nil || last.StartedAt.IsZero())
}

// reportFailed reports that nobody was dialled: instead of the call's end, and
// alone where not even a phone was called. It says nothing where the CRM knows.
func (t *Tracker) reportFailed(c *call, at timeOfEvent) {
	if c.silent() && c.ClickToCall.Refused {
		return
	}
	report := bridge.Report{Kind: bridge.ReportFailed, Call: c.ID, CommunicationID: c.CommunicationID, Time: t.stamp(c, at)}
	t.report(c, report)
	cause := c.ClickToCall.Cause
	if cause == "" {
		cause = bridge.FailedSwitch
	}
	t.outcome.Failures = append(t.outcome.Failures, bridge.Failure{Call: c.ID, CommunicationID: c.CommunicationID, Cause: cause})
}
