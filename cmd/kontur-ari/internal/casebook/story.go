package casebook

import (
	"slices"

	"kontur-ari/bridge"
)

// storyOf chooses the events that a call's reports come from: all that concern one
// of its channels or bridges, and the snapshots in between. It also returns the
// channels of the story. Nothing is chosen where the call is unknown.
//
// It relies on what Asterisk said and not on what the Tracker concludes. A story
// therefore stays whole when the Tracker learns more.
func storyOf(events []loggedEvent, call bridge.CallID) (story []loggedEvent, channels map[bridge.ChannelID]bool) {
	groups := newGroups()
	for _, e := range events {
		groups.add(e)
	}
	channels = groups.channelsWith(bridge.ChannelID(call))
	root := groups.root(channelKey(bridge.ChannelID(call)))
	chosen := func(e loggedEvent) bool {
		keys := keysOf(e.event)
		return e.event.Snapshot != nil && showsAny(e.event, channels) || len(keys) > 0 && groups.root(keys[0]) == root
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
	if unfinished(story, channels) {
		// The first snapshot without these channels shows that they ended.
		for _, e := range events[last+1:] {
			if e.event.Snapshot != nil {
				return append(story, e), channels
			}
		}
	}
	return story, channels
}

// showsAny reports whether a snapshot contains one of the channels.
func showsAny(event bridge.Event, channels map[bridge.ChannelID]bool) bool {
	return slices.ContainsFunc(event.Snapshot.Channels, func(ch bridge.Channel) bool { return channels[ch.ID] })
}

// unfinished reports whether a story lacks the end of one of its channels.
func unfinished(story []loggedEvent, channels map[bridge.ChannelID]bool) bool {
	present := presenceOf(channels)
	for _, e := range story {
		present.update(e.event)
	}
	return len(present.names) > 0
}
