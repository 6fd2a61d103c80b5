package tracker

import (
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// mostFiles bounds how many names are remembered of a channel: whoever records in
// parts has a few.
const mostFiles = 64

// heard is the leg by which a channel was heard first.
type heard struct {
	Call  bridge.CallID `json:"call"`
	Leg   bridge.LegID  `json:"leg"`
	Since time.Time     `json:"since"`
}

// markHeard notes that a leg is connected to everybody that its channel can hear, the
// halves of Local channels in between included: these may be what is recorded.
func (t *Tracker) markHeard(c *call, l *leg) {
	if !t.policy.Recordings {
		return
	}
	for _, id := range l.Channels {
		own := t.channels[id]
		if own == nil || own.BridgeID == "" {
			continue
		}
		for _, ch := range t.talkOf(own) {
			t.heardBy(ch, heard{c.ID, l.ID, l.StartedAt})
		}
	}
}

// heardBy notes by which leg a channel is heard, if it was not before; and so are those
// who listen to it.
func (t *Tracker) heardBy(ch *channel, by heard) {
	if ch.Heard != nil {
		return
	}
	ch.Heard = &by
	t.changed(ch.call)
	r := bridge.Recorded{Call: by.Call, Leg: by.Leg, Since: by.Since, Channel: ch.ID, Name: ch.Name, From: t.born(ch)}
	t.recentlyGone.remember(recentlyGoneKey(ch.ID, ""), r)
	if ch.BridgeID != "" {
		t.recentlyGone.remember(recentlyGoneKey("", ch.BridgeID), r)
	}
	for _, id := range t.snoops[ch.ID] {
		if snoop := t.channels[id]; snoop != nil {
			t.heardBy(snoop, by)
		}
	}
}

// snoop notes that a channel listens to another.
func (t *Tracker) snoop(ch *channel) {
	of := snooped(ch.Name)
	if of == "" || !t.policy.Recordings {
		return
	}
	t.snoops[of] = append(t.snoops[of], ch.ID)
	if other := t.channels[of]; other != nil && other.Heard != nil {
		t.heardBy(ch, *other.Heard)
	}
}

// unsnoop forgets that a channel listens to another.
func (t *Tracker) unsnoop(ch *channel) {
	of := snooped(ch.Name)
	if left := slices.DeleteFunc(t.snoops[of], func(id bridge.ChannelID) bool { return id == ch.ID }); len(left) > 0 {
		t.snoops[of] = left
	} else {
		delete(t.snoops, of)
	}
}

// born is since when a channel is known.
func (t *Tracker) born(ch *channel) time.Time {
	if ch.Born.IsZero() || t.now.Before(ch.Born) {
		return t.now // the switch's clock was set back
	}
	return ch.Born
}

// showFiles takes the names of recordings that an event shows on a channel.
func (t *Tracker) showFiles(seen *bridge.Channel) {
	if seen == nil || len(seen.Files)+len(seen.Messages) == 0 || !t.policy.Recordings {
		return
	}
	ch := t.channels[seen.ID]
	if ch == nil {
		return
	}
	files, messages := addNames(&ch.Files, seen.Files), addNames(&ch.Messages, seen.Messages)
	if files || messages {
		t.changed(ch.call)
	}
}

// addNames adds what is not known yet, and tells whether anything was.
func addNames(known *[]string, names []string) (added bool) {
	for _, name := range names {
		if len(*known) < mostFiles && !slices.Contains(*known, name) {
			*known, added = append(*known, name), true
		}
	}
	return added
}

// leaveRecordings tells of the recordings of a channel that goes. Whose those are that
// nobody talked to shows at the end of their call.
func (t *Tracker) leaveRecordings(ch *channel) {
	if !t.policy.Recordings {
		return
	}
	t.unsnoop(ch)
	t.leaveMade(ch)
	r := bridge.Recorded{Channel: ch.ID, Name: ch.Name, From: t.born(ch), To: t.now, Files: ch.Files, Messages: ch.Messages}
	switch {
	case ch.unrecorded, len(ch.Files)+len(ch.Messages) == 0 && (snooped(ch.Name) != "" || !ch.runsDialPlan()):
		// What a snoop channel has recorded is told by itself. A channel that was dialled has
		// nothing named after it.
	case ch.Heard != nil:
		r.Call, r.Leg, r.Since = ch.Heard.Call, ch.Heard.Leg, ch.Heard.Since
		t.outcome.Recorded = append(t.outcome.Recorded, r)
	case ch.Incoming && ch.side != directory.Plumbing, len(ch.Files) > 0 && ch.Bridged:
		t.leaveFor(ch.call, r)
	}
}

// runsDialPlan tells whether a channel runs the dial plan, which may record it: the far end
// made the call, it was originated, or it is a Local channel's half that dials.
func (ch *channel) runsDialPlan() bool {
	return ch.Incoming || ch.Originated || ch.DialledBy == "" || ch.half() == "2"
}

// mostUnheard bounds how many channels are remembered that nobody talked to: a caller may
// wait in a queue for hours.
const mostUnheard = 64

// leaveFor keeps the recordings of a channel until the end of its call.
func (t *Tracker) leaveFor(c *call, r bridge.Recorded) {
	if len(c.Unheard) < mostUnheard {
		c.Unheard = append(c.Unheard, r)
		t.changed(c)
	}
}

// leaveUnheard tells of the recordings of the channels of a call that nobody talked to,
// once the call is over and was told. What a Local channel was told to record of a
// conversation, it may have recorded although it went away before that began.
func (t *Tracker) leaveUnheard(c *call) {
	first, last := c.firstAnswered(), c.lastLeg()
	for _, r := range c.Unheard {
		r.Call, r.Leg = c.ID, bridge.LegID(c.ID)
		if last != nil {
			r.Leg = last.ID
		}
		if first != nil {
			r.Leg = first.ID
			if t.directory.SideOf(r.Name) == directory.Plumbing {
				r.Since = first.StartedAt
			}
		}
		t.outcome.Recorded = append(t.outcome.Recorded, r)
	}
}

// firstAnswered is the leg that was connected first; nil for none.
func (c *call) firstAnswered() *leg {
	var first *leg
	for _, l := range c.Legs {
		if !l.StartedAt.IsZero() && (first == nil || l.StartedAt.Before(first.StartedAt)) {
			first = l
		}
	}
	return first
}
