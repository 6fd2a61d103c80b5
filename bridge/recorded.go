package bridge

import (
	"cmp"
	"slices"
	"time"
)

// Recorded is a channel that is gone and of which there may be recordings, and whose
// they are. Its JSON form is what the store keeps, so a change to it needs a schema
// migration.
type Recorded struct {
	// Call and Leg are what a recording of the channel belongs to: the leg that was
	// connected first with the channel. Where nobody talked to it, the call's last leg,
	// or the id of a call without any.
	Call CallID `json:"call"`
	Leg  LegID  `json:"leg"`
	// Since is when that leg was connected to the channel; zero where nobody was.
	Since time.Time `json:"since,omitzero"`
	// Channel and Name are the channel's id and name.
	Channel ChannelID `json:"channel"`
	Name    string    `json:"name"`
	// From and To are how long the channel lived at most, on the switch's clock.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Files are the names of recordings that its variables have shown, Messages those of
	// messages that were left, in order: see [Channel].
	Files    []string `json:"files,omitempty"`
	Messages []string `json:"messages,omitempty"`
}

// Talked tells whether somebody was connected to the channel. Where nobody was, only a
// message that was left is a recording: any other is of a telephone that rings.
func (r *Recorded) Talked() bool { return !r.Since.IsZero() }

// mostFiles bounds how many names are remembered of a channel: whoever records in
// parts has a few.
const mostFiles = 64

// heard is the leg by which a channel was heard first.
type heard struct {
	Call  CallID    `json:"call"`
	Leg   LegID     `json:"leg"`
	Since time.Time `json:"since"`
}

// hear notes that a leg is connected to everybody that its channel can hear, the
// halves of Local channels in between included: these may be what is recorded.
func (t *Tracker) hear(c *call, l *leg) {
	if !t.policy.Recordings {
		return
	}
	for _, id := range l.Channels {
		own := t.channels[id]
		if own == nil || own.Room == "" {
			continue
		}
		for _, ch := range t.talkOf(own) {
			if ch.Heard == nil {
				ch.Heard = &heard{c.ID, l.ID, l.StartedAt}
				t.changed(ch.call)
			}
		}
	}
}

// showFiles takes the names of recordings that an event shows on a channel.
func (t *Tracker) showFiles(seen *Channel) {
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
	r := Recorded{Channel: ch.ID, Name: ch.Name, From: cmp.Or(ch.Born, t.now), To: t.now, Files: ch.Files, Messages: ch.Messages}
	if r.To.Before(r.From) {
		r.To = r.From // the switch's clock was set back
	}
	switch {
	case ch.Heard != nil:
		r.Call, r.Leg, r.Since = ch.Heard.Call, ch.Heard.Leg, ch.Heard.Since
		t.outcome.Recorded = append(t.outcome.Recorded, r)
	case ch.Incoming || len(ch.Files) > 0 && ch.side == plumbing:
		ch.call.Unheard = append(ch.call.Unheard, r)
		t.changed(ch.call)
	}
}

// leaveUnheard tells of the recordings of the channels of a call that nobody talked to,
// once the call is over and was told. What a Local channel was told to record of a
// conversation, it may have recorded although it went away before that began.
func (t *Tracker) leaveUnheard(c *call) {
	first, last := c.firstAnswered(), c.lastLeg()
	for _, r := range c.Unheard {
		r.Call, r.Leg = c.ID, LegID(c.ID)
		if last != nil {
			r.Leg = last.ID
		}
		if first != nil {
			r.Leg = first.ID
			if t.directory.sideOf(r.Name) == plumbing {
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
