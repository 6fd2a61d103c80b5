package aritest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// switchboard is what an Asterisk has whose events are played: its channels and bridges
// as the events showed them last.
type exchange struct {
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

func newExchange() exchange {
	return exchange{channels: make(map[string]*playedChannel), bridges: make(map[string]*playedBridge)}
}

// shown is what an event shows of the exchange.
type shown struct {
	Type       string          `json:"type"`
	Channel    json.RawMessage `json:"channel"`
	Caller     json.RawMessage `json:"caller"`
	Peer       json.RawMessage `json:"peer"`
	Bridge     json.RawMessage `json:"bridge"`
	DialStatus string          `json:"dialstatus"`
}

func readShown(event []byte) (shown, error) {
	var s shown
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

// take makes the exchange what an event says that it is.
func (x *exchange) take(event shown) {
	caller, peer := x.show(event, event.Caller), x.show(event, event.Peer)
	switch event.Type {
	case "ChannelDestroyed":
		delete(x.channels, channelOf(event.Channel).ID)
		return
	case "BridgeDestroyed":
		delete(x.bridges, bridgeID(event.Bridge))
		return
	case "Dial":
		if event.DialStatus == "" && caller != nil && peer != nil {
			x.link(peer, caller.linked)
		}
		return
	case "BridgeBlindTransfer", "BridgeAttendedTransfer":
		// They tell afterwards who was where before.
		return
	}
	x.show(event, event.Channel)
	b := x.showBridge(event)
	if event.Type == "ChannelEnteredBridge" && b != nil && !b.holding {
		x.linkOldest(b)
	}
}

// show keeps a channel as it is shown; nil: none is, or one that is gone.
func (x *exchange) show(event shown, document json.RawMessage) *playedChannel {
	seen := channelOf(document)
	ch := x.channels[seen.ID]
	switch {
	case seen.ID == "", ch == nil && event.Type != "ChannelCreated":
		return nil
	case ch == nil:
		ch = &playedChannel{linked: seen.ID, dialled: seen.Dialplan.Exten}
		x.channels[seen.ID] = ch
		if pair, _, local := strings.Cut(seen.Name, ";"); local {
			if other := x.named(pair); other != nil {
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
		// What is no channel has no id.
		_ = json.Unmarshal(document, &seen)
	}
	return seen
}

// named is one half of a Local channel; nil: there is none.
func (x *exchange) named(pair string) *playedChannel {
	for _, ch := range x.channels {
		if name, _, local := strings.Cut(ch.name, ";"); local && name == pair {
			return ch
		}
	}
	return nil
}

// link gives a channel its linkedid, and to the other half of a Local channel.
func (x *exchange) link(ch *playedChannel, linked string) {
	ch.linked = linked
	if pair, _, local := strings.Cut(ch.name, ";"); local {
		for _, other := range x.channels {
			if strings.HasPrefix(other.name, pair+";") {
				other.linked = linked
			}
		}
	}
}

// linkOldest: those in a bridge have the linkedid that is the oldest among theirs.
func (x *exchange) linkOldest(b *playedBridge) {
	oldest := ""
	for _, id := range b.members {
		if ch := x.channels[id]; ch != nil && (oldest == "" || olderID(ch.linked, oldest)) {
			oldest = ch.linked
		}
	}
	for _, id := range b.members {
		if ch := x.channels[id]; ch != nil {
			x.link(ch, oldest)
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
		_ = json.Unmarshal(document, &seen) // what is no bridge has no id
	}
	return seen.ID
}

// showBridge keeps a bridge as it is shown; nil: none is, or one that is gone.
func (x *exchange) showBridge(event shown) *playedBridge {
	document := event.Bridge
	id := bridgeID(document)
	// A parking lot may have been there before anything was played.
	appears := event.Type == "BridgeCreated" || event.Type == "ChannelEnteredBridge"
	if id == "" || x.bridges[id] == nil && !appears {
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
	x.bridges[id] = b
	return b
}

// channelDocuments and bridgeDocuments are what GET /channels and /bridges answer.
func (x *exchange) channelDocuments() []json.RawMessage {
	var all []json.RawMessage
	for _, ch := range x.channels {
		all = append(all, ch.document)
	}
	return all
}

func (x *exchange) bridgeDocuments() []json.RawMessage {
	var all []json.RawMessage
	for _, b := range x.bridges {
		// A channel that is gone is in no bridge, though that it left may be told later.
		members := slices.DeleteFunc(slices.Clone(b.members), func(id string) bool { return x.channels[id] == nil })
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

// variable is a dial plan function of a channel that was played; ok is false where
// there is no such channel or function.
func (x *exchange) variable(channel, name string) (value string, ok bool) {
	ch := x.channels[channel]
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
