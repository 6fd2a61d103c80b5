package tracker

import (
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// OwnRecordingPolicy says which conversations are recorded for us, without the dial plan doing
// anything for it.
type OwnRecordingPolicy struct {
	// Wanted: those with somebody outside are; Internal: those between employees too.
	Wanted, Internal bool
	// Users are users of whose conversations nothing is recorded, Numbers our own numbers
	// (normalised) at which nothing is.
	Users, Numbers []string
}

// ownRecording is a recording that is being made for us.
type ownRecording struct {
	// Name is that of the recording and the id of the channel that listens for it.
	Name string `json:"name"`
	// Of is the channel that is listened to: what both sides of it say is recorded.
	Of bridge.ChannelID `json:"of"`
	// Leg is the leg that it was begun for.
	Leg bridge.LegID `json:"leg"`
}

// madeMark stands in the names of recordings that are made for us, behind the name of the
// application. It is other than the one of orders.
const madeMark = "-recording-"

// isMade tells whether a recording of that name is made for us.
func (t *Tracker) isMade(name string) bool {
	return t.policy.Application != "" && strings.HasPrefix(name, t.policy.Application+madeMark)
}

// mostMade bounds how many recordings are begun for one call: where whoever listens goes
// again and again, it is in vain.
const mostMade = 20

// recordTalk has a call recorded in which somebody talks, if that is wanted and nothing of
// it is being recorded; and what is recorded of it ended, if it is not wanted. All legs
// must have been looked at.
func (t *Tracker) recordTalk(c *call) {
	if !t.policy.Make.Wanted || !t.policy.Recordings {
		return
	}
	if t.leftOut(c) {
		t.stopOwnRecording(c)
		return
	}
	if c.OwnRecording != nil || c.OwnRecordings >= mostMade {
		return
	}
	for _, l := range c.Legs {
		if l.State != bridge.LegConnected {
			continue
		}
		of := t.toListenTo(c, t.counterparts(c, l))
		if of == nil || t.dialPlanRecords(l, of) {
			continue
		}
		c.OwnRecordings++
		c.OwnRecording = &ownRecording{Name: fmt.Sprintf("%s%s%s-%d", t.policy.Application, madeMark, c.ID, c.OwnRecordings), Of: of.ID, Leg: l.ID}
		t.changed(c)
		t.askToRecord(c)
		return
	}
}

// dialPlanRecords tells whether somebody in a talk shows that the dial plan records it:
// for a call out that is the employee's channel, for one in the client's.
func (t *Tracker) dialPlanRecords(l *leg, of *channel) bool {
	if slices.ContainsFunc(t.talkOf(of), func(ch *channel) bool { return len(ch.Files) > 0 }) {
		return true
	}
	return slices.ContainsFunc(append(slices.Clone(l.Channels), l.Caller), func(id bridge.ChannelID) bool {
		ch := t.channels[id]
		return ch != nil && len(ch.Files) > 0
	})
}

func (t *Tracker) askToRecord(c *call) {
	t.outcome.Actions = append(t.outcome.Actions, bridge.Action{Kind: bridge.ActionRecord, Call: c.ID, Channel: c.OwnRecording.Of, Recording: c.OwnRecording.Name})
}

// askAgain asks for recordings that are to be made and that nobody listens for, and ends
// those that are not to be: whoever was to ask may have died before, the switch may not
// have heard it, and what is wanted may be another by now.
func (t *Tracker) askAgain() {
	for _, id := range t.callIDs() {
		switch c := t.calls[id]; {
		case c.OwnRecording == nil:
		case !t.policy.Make.Wanted || !t.policy.Recordings || t.leftOut(c):
			t.stopOwnRecording(c)
		case t.channels[bridge.ChannelID(c.OwnRecording.Name)] == nil:
			t.askToRecord(c)
		}
	}
	for _, id := range t.callIDs() {
		for _, ch := range t.calls[id].Channels {
			t.stopStray(ch)
		}
	}
}

// stopStray hangs up a channel that listens for a recording which is not to be made, as
// far as anybody knows: the request to end it may have been lost, or have overtaken the one
// to begin it.
func (t *Tracker) stopStray(ch *channel) {
	if !t.isMade(string(ch.ID)) || snooped(ch.Name) == "" {
		return
	}
	if c := t.madeCall(string(ch.ID)); c != nil && c.OwnRecording != nil && c.OwnRecording.Name == string(ch.ID) {
		return
	}
	t.outcome.Actions = append(t.outcome.Actions, bridge.Action{Kind: bridge.ActionStopRecording, Call: ch.call.ID, Channel: ch.ID})
}

// madeCall is the call that a recording of that name is made of.
func (t *Tracker) madeCall(name string) *call {
	if !t.isMade(name) {
		return nil
	}
	id := strings.TrimPrefix(name, t.policy.Application+madeMark)
	return t.calls[bridge.CallID(id[:max(strings.LastIndexByte(id, '-'), 0)])]
}

// leftOut tells whether somebody talks in a call of whose conversations nothing is to be
// recorded, or the call is one of which nothing is.
func (t *Tracker) leftOut(c *call) bool {
	if c.Direction == bridge.Internal && !t.policy.Make.Internal || slices.Contains(t.policy.Make.Numbers, c.VatsPhone) {
		return true
	}
	return slices.ContainsFunc(c.Legs, func(l *leg) bool {
		if l.State != bridge.LegConnected && l.State != bridge.LegPaused {
			return false
		}
		return slices.ContainsFunc(t.policy.Make.Users, func(user string) bool {
			return strings.EqualFold(user, l.From.UserID) || strings.EqualFold(user, l.To.UserID)
		})
	})
}

// toListenTo is the channel by which a whole conversation is heard: that of who is outside,
// which stays when the call is handed on.
func (t *Tracker) toListenTo(c *call, others []*channel) *channel {
	for _, ch := range others {
		if ch.side == directory.Outside || c.Direction == bridge.Internal {
			return ch
		}
	}
	return nil
}

// stopOwnRecording ends what is recorded of a call.
func (t *Tracker) stopOwnRecording(c *call) {
	if c.OwnRecording == nil {
		return
	}
	t.outcome.Actions = append(t.outcome.Actions, bridge.Action{Kind: bridge.ActionStopRecording, Call: c.ID, Channel: bridge.ChannelID(c.OwnRecording.Name)})
	t.madeFor(c)
}

// leaveMade tells of the recordings that were made of a channel that goes, or by it.
func (t *Tracker) leaveMade(ch *channel) {
	for _, c := range t.callsOf(ch) {
		if c.OwnRecording != nil && c.OwnRecording.Of == ch.ID {
			t.madeFor(c)
		}
	}
	if c := t.madeCall(string(ch.ID)); c != nil && c.OwnRecording != nil && c.OwnRecording.Name == string(ch.ID) {
		t.madeFor(c)
	}
}

// madeFor tells of the recording that was made of a call, which ends.
func (t *Tracker) madeFor(c *call) {
	made := bridge.Recorded{
		Call: c.ID, Leg: c.OwnRecording.Leg, Channel: c.OwnRecording.Of, From: c.CreatedAt, To: t.now, Made: true,
		Stored: []bridge.StoredFile{{Name: c.OwnRecording.Name, Format: madeFormat}},
	}
	if made.To.Before(made.From) {
		made.To = made.From // the switch's clock was set back
	}
	for _, l := range c.Legs {
		if l.ID == made.Leg {
			made.Since = l.StartedAt
		}
	}
	c.OwnRecording = nil
	t.changed(c)
	if t.policy.Recordings {
		t.outcome.Recorded = append(t.outcome.Recorded, made)
	}
}

// madeFormat is what recordings are made in for us: every Asterisk can.
const madeFormat = "wav"
