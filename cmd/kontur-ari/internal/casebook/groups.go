package casebook

import (
	"strings"

	"kontur-ari/bridge"
)

// groups joins channels and bridges that events mention together. It is a
// union-find: keys of one group have the same root.
type groups struct {
	// parent leads from each key towards the root of its group, its own parent.
	parent map[string]string
	// halves are the last two channels with a Local channel's name, ;1 and ;2.
	// Names repeat after a restart of Asterisk.
	halves map[string][2]bridge.ChannelID
}

func newGroups() *groups {
	return &groups{parent: make(map[string]string), halves: make(map[string][2]bridge.ChannelID)}
}

const channelPrefix = "channel "

func channelKey(id bridge.ChannelID) string { return channelPrefix + string(id) }

// add joins everything that an event mentions. A snapshot mentions everything that
// exists: of it, only channels in one bridge or with one linkedid are joined.
func (g *groups) add(e loggedEvent) {
	keys := keysOf(e.event)
	if e.call != "" {
		keys = append(keys, channelKey(bridge.ChannelID(e.call)))
	}
	g.join(keys)
	for _, ch := range []*bridge.Channel{e.event.Channel, e.event.Caller, e.event.Peer} {
		g.joinHalves(ch)
	}
	if e.event.Snapshot == nil {
		return
	}
	for i := range e.event.Snapshot.Channels {
		g.join(channelKeys(&e.event.Snapshot.Channels[i]))
		g.joinHalves(&e.event.Snapshot.Channels[i])
	}
	for i := range e.event.Snapshot.Bridges {
		g.join(bridgeKeys(&e.event.Snapshot.Bridges[i]))
	}
}

// joinHalves joins the two halves of a Local channel. A half with a new id begins
// a new pair.
func (g *groups) joinHalves(ch *bridge.Channel) {
	if ch == nil || ch.ID == "" {
		return
	}
	name, half, local := strings.Cut(ch.Name, ";")
	if !local || half != "1" && half != "2" {
		return
	}
	own := int(half[0] - '1')
	halves := g.halves[name]
	if halves[own] != "" && halves[own] != ch.ID {
		halves = [2]bridge.ChannelID{}
	}
	halves[own] = ch.ID
	g.halves[name] = halves
	if other := halves[1-own]; other != "" {
		g.join([]string{channelKey(ch.ID), channelKey(other)})
	}
}

func (g *groups) join(keys []string) {
	for _, key := range keys {
		if one, other := g.root(keys[0]), g.root(key); one != other {
			g.parent[other] = one
		}
	}
}

// root returns the root of a key's group and shortens the path to it.
func (g *groups) root(key string) string {
	next, known := g.parent[key]
	if !known {
		g.parent[key] = key
		return key
	}
	if next == key {
		return key
	}
	root := g.root(next)
	g.parent[key] = root
	return root
}

// channelsWith returns the channels in the group of one channel, itself included.
func (g *groups) channelsWith(id bridge.ChannelID) map[bridge.ChannelID]bool {
	channels := make(map[bridge.ChannelID]bool)
	root := g.root(channelKey(id))
	for key := range g.parent {
		if id, ok := strings.CutPrefix(key, channelPrefix); ok && g.root(key) == root {
			channels[bridge.ChannelID(id)] = true
		}
	}
	return channels
}

// keysOf returns the keys of everything that an event concerns; none for a
// snapshot, which concerns no call in particular.
func keysOf(event bridge.Event) (keys []string) {
	for _, ch := range []*bridge.Channel{event.Channel, event.Caller, event.Peer} {
		keys = append(keys, channelKeys(ch)...)
	}
	if event.ClickToCall != nil {
		keys = append(keys, clickToCallKeys(*event.ClickToCall)...)
	}
	if event.Hangup != nil {
		keys = append(keys, channelKey(bridge.ChannelID(event.Hangup.Call)))
	}
	keys = append(keys, bridgeKeys(event.Bridge)...)
	if t := event.Transfer; t != nil {
		for _, id := range []bridge.ChannelID{t.Transferer, t.SecondLeg, t.Transferee, t.Target} {
			if id != "" {
				keys = append(keys, channelKey(id))
			}
		}
	}
	return keys
}

// clickToCallKeys returns the channels that ring for a click-to-call. The first
// gives the call its id.
func clickToCallKeys(news bridge.ClickToCallNews) []string {
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

// bridgeKeys returns a bridge and the channels in it. A holding bridge, such as a
// queue's music, joins nothing: its channels belong to unrelated calls.
func bridgeKeys(br *bridge.Bridge) []string {
	if br == nil || br.Holding {
		return nil
	}
	keys := []string{"bridge " + br.ID}
	for _, id := range br.Channels {
		keys = append(keys, channelKey(id))
	}
	return keys
}
