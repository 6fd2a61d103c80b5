package tracker

import (
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// clickToCallGiven starts the call of a click-to-call that is accepted; another command
// changes nothing. Nothing is reported until the first phone rings: if none does, the answer
// to the command has refused it.
func (t *Tracker) clickToCallGiven(event bridge.Event) {
	if event.ClickToCall == nil || event.ClickToCall.ClickToCall.CommunicationID == "" || event.Time.IsZero() {
		return
	}
	given := event.ClickToCall.ClickToCall
	t.outcome.Click = t.DecideClick(given, event.ClickToCall.AtOnce)
	if t.outcome.Click != bridge.ClickAccepted {
		return
	}
	id := given.Call()
	c := &call{ID: id, CommunicationID: given.CommunicationID, ClickToCall: &clickToCall{ClickToCall: given, Pending: true}}
	t.calls[id] = c
	t.changed(c)
}

// clickToCallResult takes the result of the attempt to ring. It may come before the events of
// the phones, or after their end.
func (t *Tracker) clickToCallResult(event bridge.Event) {
	if event.ClickToCall == nil {
		return
	}
	c := t.calls[event.ClickToCall.ClickToCall.Call()]
	if c == nil || c.ClickToCall == nil || !c.ClickToCall.Pending {
		return
	}
	c.ClickToCall.Pending, c.ClickToCall.ResultAt = false, event.Time
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

// awaited reports whether a phone rings of which no event has come yet.
func (o *clickToCall) awaited() bool {
	return slices.ContainsFunc(o.Rung, func(id bridge.ChannelID) bool { return !slices.Contains(o.Heard, id) })
}

// clickToCallFor returns the click-to-call that a channel was made for; nil for none.
func (t *Tracker) clickToCallFor(ch *channel) *clickToCall {
	if ch.call.ClickToCall != nil && bridge.CallOfClick(ch.ID) == ch.call.ID {
		return ch.call.ClickToCall
	}
	return nil
}

// phoneCalled notes that a phone of a click-to-call rings. All its phones are one leg, from
// the user to the party that is dialled.
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

// clickedLeg returns the leg of a click-to-call's phones; nil until the first one rings.
func (c *call) clickedLeg() *leg {
	if c.ClickToCall == nil || len(c.Legs) == 0 {
		return nil
	}
	return c.Legs[0]
}

// phoneRings notes that a phone of a click-to-call has signalled ringing.
func (t *Tracker) phoneRings(own *channel) {
	if o := t.clickToCallFor(own); o != nil && !o.Rang {
		o.Rang = true
		t.changed(own.call)
	}
}

// pickedUpPhone handles a phone of a click-to-call that is picked up. The first one dials; all
// others are hung up, also one that is picked up a moment later.
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

// dialsForClick reports whether a channel's dial is that of its click-to-call. It is until the
// leg is connected, or if no such dial was seen before.
func (t *Tracker) dialsForClick(own *channel) bool {
	o := t.clickToCallFor(own)
	if o == nil || o.PickedUp != "" && o.PickedUp != own.ID {
		return false
	}
	l := own.call.openLegOf(own.ID)
	return l != nil && l == own.call.clickedLeg() && (l.State == bridge.LegAppeared || !o.Dialled)
}

// clickDials notes the dial of the phone that was picked up. Its leg exists already and lasts
// through all attempts.
func (t *Tracker) clickDials(own, peer *channel) {
	c := own.call
	// The event of its answer may be lost.
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

// takeUpPhones brings the phones of click-to-calls to the state that a snapshot shows: events
// of ringing or answering may be lost. A phone that was picked up and still waits must
// dial: the process may have died before it asked for that.
func (t *Tracker) takeUpPhones(live map[bridge.ChannelID]*bridge.Channel, at timeOfEvent) {
	for _, id := range t.callIDs() {
		c := t.calls[id]
		for _, ch := range c.Channels {
			t.hangUpStray(ch, live[ch.ID])
		}
		if c.ClickToCall == nil {
			continue
		}
		if !c.ClickToCall.Pending && c.ClickToCall.ResultAt.Before(at) && c.ClickToCall.awaited() {
			// All phones are in this snapshot or gone, so no event is awaited.
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
			if c.ClickToCall.PickedUp == own.ID && seen.WaitsForDial {
				t.act(bridge.ActionDial, own)
			}
			t.pickedUpPhone(own)
		}
	}
}

// hangUpStray hangs up the channel of a phone that must not ring: its click-to-call was
// refused or given up, or Asterisk's answer to the request was lost. Otherwise it would
// stay for ever, or dial a party that no user waits for.
func (t *Tracker) hangUpStray(ch *channel, seen *bridge.Channel) {
	waits := seen != nil && (seen.State == bridge.StateDown || seen.WaitsForDial)
	unowned := strings.HasPrefix(string(ch.ID), t.policy.Application+bridge.ClickToCallMark) && ch.call.ClickToCall == nil
	if unowned && waits || t.strayed(ch) {
		t.act(bridge.ActionHangup, ch)
	}
}

// strayed reports whether a channel is of a known click-to-call that does not ring it.
func (t *Tracker) strayed(ch *channel) bool {
	o := t.clickToCallFor(ch)
	return o != nil && !o.Pending && !o.Dialled && !slices.Contains(o.Rung, ch.ID)
}

// phoneMissed handles a phone of a click-to-call that is missing from a snapshot. If it was
// picked up, it may have dialled, so the call must not be reported as failed.
func (t *Tracker) phoneMissed(own *channel) {
	if o := t.clickToCallFor(own); o != nil && o.PickedUp == own.ID {
		o.Dialled = true
	}
}

// endUnseen handles the end of a phone whose ChannelCreated was lost: it is no longer
// awaited.
func (t *Tracker) endUnseen(id bridge.ChannelID) {
	if c := t.calls[bridge.CallOfClick(id)]; c != nil && c.ClickToCall != nil && !slices.Contains(c.ClickToCall.Heard, id) {
		c.ClickToCall.Heard = append(c.ClickToCall.Heard, id)
		t.changed(c)
	}
}

// phoneGone stores why a phone of a click-to-call has stopped ringing.
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

// cameToNothing reports whether a click-to-call has ended before the other party was dialled.
// last is the call's last leg.
func (c *call) cameToNothing(last *leg) bool {
	return c.silent() || c.ClickToCall != nil && !c.ClickToCall.Dialled && (last == nil || last.StartedAt.IsZero())
}

// reportFailed reports call-failed in place of call-finished and register-call. It is the only
// report if no phone has rung, and is left out if the answer to the command said so.
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
