package main

import (
	"slices"
	"strings"

	"kontur-ari/bridge"
)

// storyOf chooses the events that a call's reports come of: all that name one of
// its channels, or a channel or bridge that has to do with them, and the snapshots
// meanwhile. It goes by what Asterisk said and not by what the Tracker makes of
// it, so that a story stays whole when the Tracker learns more.
//
// channels are those of the story. Nothing is chosen where the call is unknown.
func storyOf(events []recorded, call bridge.CallID) (story []recorded, channels map[bridge.ChannelID]bool) {
	linked := newLinks()
	for _, e := range events {
		linked.follow(e)
	}
	channels = make(map[bridge.ChannelID]bool)
	root := linked.root(channelKey(bridge.ChannelID(call)))
	for key := range linked.leads {
		if id, ok := strings.CutPrefix(key, channelKey("")); ok && linked.root(key) == root {
			channels[bridge.ChannelID(id)] = true
		}
	}
	chosen := func(e recorded) bool {
		keys := named(e.event)
		return e.event.Snapshot != nil && shows(e.event, channels) || len(keys) > 0 && linked.root(keys[0]) == root
	}
	first := slices.IndexFunc(events, chosen)
	if first < 0 {
		return nil, nil
	}
	last := len(events) - 1
	for !chosen(events[last]) {
		last--
	}
	for _, e := range events[first : last+1] {
		if e.event.Snapshot != nil || chosen(e) {
			story = append(story, e)
		}
	}
	if alive(story, channels) {
		// The snapshot that does not show them any more is how they ended.
		for _, e := range events[last+1:] {
			if e.event.Snapshot != nil {
				return append(story, e), channels
			}
		}
	}
	return story, channels
}

// shows tells whether one of the channels is in a snapshot.
func shows(event bridge.Event, channels map[bridge.ChannelID]bool) bool {
	return slices.ContainsFunc(event.Snapshot.Channels, func(ch bridge.Channel) bool { return channels[ch.ID] })
}

// alive tells whether the end of one of the channels was not told in a story.
func alive(story []recorded, channels map[bridge.ChannelID]bool) bool {
	there := presenceOf(channels)
	for _, e := range story {
		there.follow(e.event)
	}
	return len(there.names) > 0
}

// presenceOf follows the channels of a story.
func presenceOf(channels map[bridge.ChannelID]bool) *presence {
	return newPresence(func(ch bridge.Channel) bool { return channels[ch.ID] })
}

// links says what belongs together: channels, and bridges in which somebody talks.
type links struct {
	// leads goes from each to another of its group, until the group's root.
	leads map[string]string
	// halves are the last two channels that had a Local channel's name, by half:
	// names repeat after a restart of Asterisk.
	halves map[string][2]bridge.ChannelID
}

func newLinks() *links {
	return &links{leads: make(map[string]string), halves: make(map[string][2]bridge.ChannelID)}
}

func channelKey(id bridge.ChannelID) string { return "channel " + string(id) }

// follow puts together what an event names together. A snapshot names everything;
// of it only what is in one bridge, or has one linkedid, belongs together.
func (l *links) follow(e recorded) {
	keys := named(e.event)
	if e.call != "" {
		keys = append(keys, channelKey(bridge.ChannelID(e.call)))
	}
	l.join(keys)
	for _, ch := range []*bridge.Channel{e.event.Channel, e.event.Caller, e.event.Peer} {
		l.pair(ch)
	}
	if e.event.Snapshot == nil {
		return
	}
	for i := range e.event.Snapshot.Channels {
		l.join(channelKeys(&e.event.Snapshot.Channels[i]))
		l.pair(&e.event.Snapshot.Channels[i])
	}
	for i := range e.event.Snapshot.Bridges {
		l.join(roomKeys(&e.event.Snapshot.Bridges[i]))
	}
}

// pair puts the halves of a Local channel together. A half that is another channel
// than the last of that name begins a new pair.
func (l *links) pair(ch *bridge.Channel) {
	if ch == nil || ch.ID == "" {
		return
	}
	name, half, local := strings.Cut(ch.Name, ";")
	if !local || half != "1" && half != "2" {
		return
	}
	own := int(half[0] - '1')
	halves := l.halves[name]
	if halves[own] != "" && halves[own] != ch.ID {
		halves = [2]bridge.ChannelID{}
	}
	halves[own] = ch.ID
	l.halves[name] = halves
	if other := halves[1-own]; other != "" {
		l.join([]string{channelKey(ch.ID), channelKey(other)})
	}
}

func (l *links) join(keys []string) {
	for _, key := range keys {
		if one, other := l.root(keys[0]), l.root(key); one != other {
			l.leads[other] = one
		}
	}
}

// root finds what stands for a key's group, and shortens the way to it.
func (l *links) root(key string) string {
	next, known := l.leads[key]
	if !known {
		l.leads[key] = key
		return key
	}
	if next == key {
		return key
	}
	root := l.root(next)
	l.leads[key] = root
	return root
}

// named returns the keys of everything that an event is about; a snapshot is
// about nothing in particular.
func named(event bridge.Event) (keys []string) {
	for _, ch := range []*bridge.Channel{event.Channel, event.Caller, event.Peer} {
		keys = append(keys, channelKeys(ch)...)
	}
	if event.ClickToCall != nil {
		keys = append(keys, phoneKeys(*event.ClickToCall)...)
	}
	if event.Hangup != nil {
		keys = append(keys, channelKey(bridge.ChannelID(event.Hangup.Call)))
	}
	keys = append(keys, roomKeys(event.Bridge)...)
	if t := event.Transfer; t != nil {
		for _, id := range []bridge.ChannelID{t.Transferer, t.SecondLeg, t.Transferee, t.Target} {
			if id != "" {
				keys = append(keys, channelKey(id))
			}
		}
	}
	return keys
}

// phoneKeys are the phones that ring for an order. The first names the call.
func phoneKeys(news bridge.ClickToCallNews) []string {
	keys := []string{channelKey(news.ClickToCall.Channel(1))}
	for _, id := range news.Rung {
		keys = append(keys, channelKey(id))
	}
	return keys
}

func channelKeys(ch *bridge.Channel) []string {
	if ch == nil || ch.ID == "" {
		return nil
	}
	keys := []string{channelKey(ch.ID)}
	if ch.LinkedID != "" {
		keys = append(keys, channelKey(ch.LinkedID))
	}
	return keys
}

// roomKeys are a bridge and who is in it. One in which nobody talks, such as a
// queue's music, holds calls that have nothing to do with each other.
func roomKeys(br *bridge.Bridge) []string {
	if br == nil || br.Holding {
		return nil
	}
	keys := []string{"bridge " + br.ID}
	for _, id := range br.Channels {
		keys = append(keys, channelKey(id))
	}
	return keys
}
