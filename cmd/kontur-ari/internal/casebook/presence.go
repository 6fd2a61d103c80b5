package casebook

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
)

// presence tracks which channels exist. It finds the channels that a snapshot no
// longer shows, whose end no event reported.
type presence struct {
	// relevant selects the channels of a snapshot to track.
	relevant func(bridge.Channel) bool
	// names are the names of existing channels; ended are those that existed.
	names map[bridge.ChannelID]string
	ended map[bridge.ChannelID]bool
}

func newPresence(relevant func(bridge.Channel) bool) *presence {
	return &presence{relevant: relevant, names: make(map[bridge.ChannelID]string), ended: make(map[bridge.ChannelID]bool)}
}

// presenceOf tracks the channels of a story.
func presenceOf(channels map[bridge.ChannelID]bool) *presence {
	return newPresence(func(ch bridge.Channel) bool { return channels[ch.ID] })
}

// update takes the next event and returns in words what a snapshot found gone; ""
// for nothing. Apart from snapshots, it must be given relevant events only.
func (p *presence) update(event bridge.Event) string {
	if event.Snapshot != nil {
		return p.compare(event)
	}
	for _, ch := range []*bridge.Channel{event.Channel, event.Caller, event.Peer} {
		// A late event does not bring a channel back.
		if ch != nil && !p.ended[ch.ID] {
			p.names[ch.ID] = ch.Name
		}
	}
	if event.Type == bridge.EventChannelDestroyed && event.Channel != nil {
		p.end(event.Channel.ID)
	}
	return ""
}

func (p *presence) end(id bridge.ChannelID) {
	delete(p.names, id)
	p.ended[id] = true
}

func (p *presence) compare(event bridge.Event) string {
	shown := make(map[bridge.ChannelID]bool)
	for _, ch := range event.Snapshot.Channels {
		shown[ch.ID] = true
		if p.relevant(ch) {
			p.names[ch.ID] = ch.Name
		}
	}
	var gone []string
	for id, name := range p.names {
		if !shown[id] {
			gone = append(gone, name)
			p.end(id)
		}
	}
	if len(gone) == 0 {
		return ""
	}
	slices.Sort(gone)
	return strings.Join(gone, ", ") + " found gone " + gapText(event)
}

// gapText says how long Asterisk was not heard before a snapshot.
func gapText(event bridge.Event) string {
	since := event.Snapshot.MissedSince
	if since.IsZero() {
		return "after a time of unknown length in which Asterisk was not heard"
	}
	gap := max(event.Time.Sub(since), 0)
	if gap = gap.Round(time.Millisecond); gap >= time.Second {
		gap = gap.Round(time.Second)
	}
	return fmt.Sprintf("after Asterisk was not heard for %s", gap)
}
