package aritest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// asterisk is the state of an Asterisk whose events are played: its channels and bridges
// as the events showed them last.
type asterisk struct {
	channels map[string]*playedChannel
	bridges  map[string]*playedBridge
}

type playedChannel struct {
	document json.RawMessage
	name     string
	// linked is CHANNEL(linkedid), dialled CALLERID(dnid).
	linked, dialled string
}

type playedBridge struct {
	document map[string]json.RawMessage
	holding  bool
	members  []string
}

func newAsterisk() asterisk {
	return asterisk{channels: make(map[string]*playedChannel), bridges: make(map[string]*playedBridge)}
}

// playedEvent is the part of an event that shows channels and bridges.
type playedEvent struct {
	Type       string          `json:"type"`
	Channel    json.RawMessage `json:"channel"`
	Caller     json.RawMessage `json:"caller"`
	Peer       json.RawMessage `json:"peer"`
	Bridge     json.RawMessage `json:"bridge"`
	DialStatus string          `json:"dialstatus"`
}

func readPlayed(event []byte) (playedEvent, error) {
	var s playedEvent
	if err := json.Unmarshal(event, &s); err != nil {
		// In some events "caller" is a text.
		var bare eventName
		if json.Unmarshal(event, &bare) != nil || bare.Type == "" {
			return s, fmt.Errorf("what is played is no event: %w", err)
		}
		s.Type = bare.Type
	}
	return s, nil
}

type shownChannel struct {
	ID, Name string
	Dialplan struct{ Exten string }
}

// apply changes the state to what an event shows.
func (a *asterisk) apply(event playedEvent) {
	caller, peer := a.storeChannel(event, event.Caller), a.storeChannel(event, event.Peer)
	switch event.Type {
	case "ChannelDestroyed":
		delete(a.channels, channelOf(event.Channel).ID)
		return
	case "BridgeDestroyed":
		delete(a.bridges, bridgeID(event.Bridge))
		return
	case "Dial":
		if event.DialStatus == "" && caller != nil && peer != nil {
			a.link(peer, caller.linked)
		}
		return
	case "BridgeBlindTransfer", "BridgeAttendedTransfer":
		// They show where the channels were before the transfer.
		return
	}
	a.storeChannel(event, event.Channel)
	b := a.storeBridge(event)
	if event.Type == "ChannelEnteredBridge" && b != nil && !b.holding {
		a.linkOldest(b)
	}
}

// storeChannel stores a channel as an event shows it. It returns nil when the event shows
// none, or one that is gone.
func (a *asterisk) storeChannel(event playedEvent, document json.RawMessage) *playedChannel {
	seen := channelOf(document)
	ch := a.channels[seen.ID]
	switch {
	case seen.ID == "", ch == nil && event.Type != "ChannelCreated":
		return nil
	case ch == nil:
		ch = &playedChannel{linked: seen.ID, dialled: seen.Dialplan.Exten}
		a.channels[seen.ID] = ch
		if pair, _, local := strings.Cut(seen.Name, ";"); local {
			if other := a.localHalf(pair); other != nil {
				ch.linked = other.linked
			}
		}
	}
	ch.document, ch.name = document, seen.Name
	return ch
}

func channelOf(document json.RawMessage) shownChannel {
	var seen shownChannel
	if len(document) > 0 {
		// Without a channel the id stays empty.
		_ = json.Unmarshal(document, &seen)
	}
	return seen
}

// localHalf returns one half of a Local channel, nil when there is none.
func (a *asterisk) localHalf(pair string) *playedChannel {
	for _, ch := range a.channels {
		if name, _, local := strings.Cut(ch.name, ";"); local && name == pair {
			return ch
		}
	}
	return nil
}

// link sets the linkedid of a channel, and of the other half of a Local channel.
func (a *asterisk) link(ch *playedChannel, linked string) {
	ch.linked = linked
	if pair, _, local := strings.Cut(ch.name, ";"); local {
		for _, other := range a.channels {
			if strings.HasPrefix(other.name, pair+";") {
				other.linked = linked
			}
		}
	}
}

// linkOldest gives all channels in a bridge the oldest linkedid among them, as Asterisk
// does.
func (a *asterisk) linkOldest(b *playedBridge) {
	oldest := ""
	for _, id := range b.members {
		if ch := a.channels[id]; ch != nil && (oldest == "" || olderID(ch.linked, oldest)) {
			oldest = ch.linked
		}
	}
	for _, id := range b.members {
		if ch := a.channels[id]; ch != nil {
			a.link(ch, oldest)
		}
	}
}

// olderID compares unique ids, seconds and a serial number, as Asterisk does.
func olderID(a, b string) bool {
	serial := func(id string) (float64, int) {
		seconds, number, _ := strings.Cut(id, ".")
		s, _ := strconv.ParseFloat(seconds, 64) // ids that are no numbers are equally old
		n, _ := strconv.Atoi(number)
		return s, n
	}
	aSeconds, aNumber := serial(a)
	bSeconds, bNumber := serial(b)
	return cmp.Or(cmp.Compare(aSeconds, bSeconds), cmp.Compare(aNumber, bNumber)) < 0
}

func bridgeID(document json.RawMessage) string {
	var seen struct{ ID string }
	if len(document) > 0 {
		_ = json.Unmarshal(document, &seen) // without a bridge the id stays empty
	}
	return seen.ID
}

// storeBridge stores a bridge as an event shows it. It returns nil when the event shows
// none, or one that is gone.
func (a *asterisk) storeBridge(event playedEvent) *playedBridge {
	document := event.Bridge
	id := bridgeID(document)
	// A parking lot may have existed before the first played event.
	appears := event.Type == "BridgeCreated" || event.Type == "ChannelEnteredBridge"
	if id == "" || a.bridges[id] == nil && !appears {
		return nil
	}
	b := &playedBridge{}
	var seen struct {
		Type     string `json:"bridge_type"`
		Channels []string
	}
	if json.Unmarshal(document, &b.document) != nil || json.Unmarshal(document, &seen) != nil {
		return nil
	}
	b.holding, b.members = seen.Type == "holding", seen.Channels
	a.bridges[id] = b
	return b
}

// channelDocuments and bridgeDocuments return the answers of GET /channels and /bridges.
func (a *asterisk) channelDocuments() []json.RawMessage {
	var all []json.RawMessage
	for _, ch := range a.channels {
		all = append(all, ch.document)
	}
	return all
}

func (a *asterisk) bridgeDocuments() []json.RawMessage {
	var all []json.RawMessage
	for _, b := range a.bridges {
		// A destroyed channel is in no bridge, even if its leaving is played later.
		members := slices.DeleteFunc(slices.Clone(b.members), func(id string) bool { return a.channels[id] == nil })
		b.document["channels"] = mustMarshal(append([]string{}, members...))
		all = append(all, mustMarshal(b.document))
	}
	return all
}

func mustMarshal(value any) json.RawMessage {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("aritest: %v", err)) // texts, and what was JSON before, always marshal
	}
	return raw
}

// variable returns the value of a dial plan function of a played channel. ok is false
// when there is no such channel or function.
func (a *asterisk) variable(channel, name string) (value string, ok bool) {
	ch := a.channels[channel]
	if ch == nil {
		return "", false
	}
	switch name {
	case "CHANNEL(linkedid)":
		return ch.linked, true
	case "CALLERID(dnid)":
		return ch.dialled, true
	}
	return "", false
}
