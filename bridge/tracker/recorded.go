package tracker

import (
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// mostFiles bounds the names that are kept for a channel. A dial plan that records in parts
// makes a few.
const mostFiles = 64

// heard is the leg that a channel was connected to first.
type heard struct {
	Call  bridge.CallID `json:"call"`
	Leg   bridge.LegID  `json:"leg"`
	Since time.Time     `json:"since"`
}

// markHeard assigns a connected leg to every channel that it hears, halves of Local channels
// included, since a recording may be of those.
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

// heardBy assigns the first leg to a channel and to the snoop channels that listen to it.
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

// snoop registers a snoop channel with the channel that it listens to.
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

// unsnoop removes a snoop channel from the channel that it listens to.
func (t *Tracker) unsnoop(ch *channel) {
	of := snooped(ch.Name)
	if left := slices.DeleteFunc(t.snoops[of], func(id bridge.ChannelID) bool { return id == ch.ID }); len(left) > 0 {
		t.snoops[of] = left
	} else {
		delete(t.snoops, of)
	}
}

// born returns when a channel became known.
func (t *Tracker) born(ch *channel) time.Time {
	if ch.Born.IsZero() || t.now.Before(ch.Born) {
		return t.now // the exchange's clock was set back
	}
	return ch.Born
}

// showFiles stores the names of recordings that an event shows on a channel.
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

// addNames adds the names that are new, and returns whether there were any.
func addNames(known *[]string, names []string) (added bool) {
	for _, name := range names {
		if len(*known) < mostFiles && !slices.Contains(*known, name) {
			*known, added = append(*known, name), true
		}
	}
	return added
}

// leaveRecordings reports the recordings of a channel that goes. A channel that was never
// connected is kept until the end of its call, which shows the leg.
func (t *Tracker) leaveRecordings(ch *channel) {
	if !t.policy.Recordings {
		return
	}
	t.unsnoop(ch)
	t.leaveMade(ch)
	r := bridge.Recorded{Channel: ch.ID, Name: ch.Name, From: t.born(ch), To: t.now, Files: ch.Files, Messages: ch.Messages}
	switch {
	case ch.unrecorded, len(ch.Files)+len(ch.Messages) == 0 && (snooped(ch.Name) != "" || !ch.runsDialPlan()):
		// A recording of a snoop channel has an event of its own. No recording is named after
		// a channel that was dialled.
	case ch.Heard != nil:
		r.Call, r.Leg, r.Since = ch.Heard.Call, ch.Heard.Leg, ch.Heard.Since
		t.outcome.Recorded = append(t.outcome.Recorded, r)
	case ch.Incoming && ch.side != directory.Plumbing, len(ch.Files) > 0 && ch.Bridged:
		t.leaveFor(ch.call, r)
	}
}

// runsDialPlan reports whether a channel runs the dial plan, which may record it: its far end
// made the call, it was originated, or it is the half of a Local channel that dials.
func (ch *channel) runsDialPlan() bool {
	return ch.Incoming || ch.Originated || ch.DialledBy == "" || ch.half() == "2"
}

// mostUnheard bounds the channels that are kept because they were never connected: a queue may
// ring phones for a caller for hours.
const mostUnheard = 64

// leaveFor keeps the recordings of a channel until the end of its call.
func (t *Tracker) leaveFor(c *call, r bridge.Recorded) {
	if len(c.Unheard) < mostUnheard {
		c.Unheard = append(c.Unheard, r)
		t.changed(c)
	}
}

// leaveUnheard reports the recordings of a call's channels that were never connected, at the
// end of a reported call. A recording that was started on a Local channel may hold the
// conversation although that channel has gone before.
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

// firstAnswered returns the leg that was connected first; nil for none.
func (c *call) firstAnswered() *leg {
	var first *leg
	for _, l := range c.Legs {
		if !l.StartedAt.IsZero() && (first == nil || l.StartedAt.Before(first.StartedAt)) {
			first = l
		}
	}
	return first
}
