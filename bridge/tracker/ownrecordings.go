package tracker

import (
	"fmt"
	"slices"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// OwnRecordingPolicy says which conversations we record ourselves over ARI, without help from
// the dial plan.
type OwnRecordingPolicy struct {
	// Wanted: conversations with outside parties are recorded. Internal: those between
	// employees too.
	Wanted, Internal bool
	// Users are the ids of users whose conversations are not recorded. Numbers are our own
	// numbers, normalised, whose calls are not recorded.
	Users, Numbers []string
}

// ownRecording is a recording that we are making.
type ownRecording struct {
	// Name is the name of the recording and the id of its snoop channel.
	Name string `json:"name"`
	// Of is the channel whose two sides are recorded.
	Of bridge.ChannelID `json:"of"`
	// Leg is the leg that it was started for.
	Leg bridge.LegID `json:"leg"`
}

// madeMark follows the application's name in the names of our own recordings. It differs from
// [bridge.ClickToCallMark].
const madeMark = "-recording-"

// isMade reports whether a recording of that name is one of our own.
func (t *Tracker) isMade(name string) bool {
	return t.policy.Application != "" && strings.HasPrefix(name, t.policy.Application+madeMark)
}

// mostMade bounds the recordings that are started for one call. If the snoop channel keeps
// going away, further attempts are useless.
const mostMade = 20

// recordTalk starts our recording of a call that has a connected leg, if the policy wants it
// and the dial plan does not record. It stops a recording that the policy no longer
// wants. The legs must have been evaluated before.
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

// dialPlanRecords reports whether a channel of the conversation shows that the dial plan
// records it: the employee's in an outbound call, the client's in an inbound one.
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

// askAgain requests the recordings that lack their snoop channel, and stops those that are no
// longer wanted. The process may have died before its request, the request may be lost,
// or the configuration may have changed.
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

// stopStray hangs up a snoop channel whose recording must not be made: the request to stop it
// may have been lost, or have overtaken the request to start it.
func (t *Tracker) stopStray(ch *channel) {
	if !t.isMade(string(ch.ID)) || snooped(ch.Name) == "" {
		return
	}
	if c := t.madeCall(string(ch.ID)); c != nil && c.OwnRecording != nil && c.OwnRecording.Name == string(ch.ID) {
		return
	}
	t.outcome.Actions = append(t.outcome.Actions, bridge.Action{Kind: bridge.ActionStopRecording, Call: ch.call.ID, Channel: ch.ID})
}

// madeCall returns the call that our recording of that name belongs to; nil for none.
func (t *Tracker) madeCall(name string) *call {
	if !t.isMade(name) {
		return nil
	}
	id := strings.TrimPrefix(name, t.policy.Application+madeMark)
	return t.calls[bridge.CallID(id[:max(strings.LastIndexByte(id, '-'), 0)])]
}

// leftOut reports whether the policy excludes a call: by its direction, by our number, or by a
// user who is connected in it.
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

// toListenTo returns the channel to record: the outside one, since it stays when the call is
// transferred; nil for none.
func (t *Tracker) toListenTo(c *call, others []*channel) *channel {
	for _, ch := range others {
		if ch.side == directory.Outside || c.Direction == bridge.Internal {
			return ch
		}
	}
	return nil
}

// stopOwnRecording stops our recording of a call.
func (t *Tracker) stopOwnRecording(c *call) {
	if c.OwnRecording == nil {
		return
	}
	t.outcome.Actions = append(t.outcome.Actions, bridge.Action{Kind: bridge.ActionStopRecording, Call: c.ID, Channel: bridge.ChannelID(c.OwnRecording.Name)})
	t.madeFor(c)
}

// leaveMade reports our recordings that end with a channel: the recorded channel or the snoop
// channel goes.
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

// madeFor reports our recording of a call, which has ended.
func (t *Tracker) madeFor(c *call) {
	made := bridge.Recorded{
		Call: c.ID, Leg: c.OwnRecording.Leg, Channel: c.OwnRecording.Of, From: c.CreatedAt, To: t.now, Own: true,
		Stored: []bridge.StoredFile{{Name: c.OwnRecording.Name, Format: madeFormat}},
	}
	if made.To.Before(made.From) {
		made.To = made.From // the exchange's clock was set back
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

// madeFormat is the format of our own recordings, which every Asterisk supports.
const madeFormat = "wav"
