package pbxtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
)

// Midnight is the time at which every script and all traffic begin.
var Midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// exchange is a small model of Asterisk. It keeps channels and bridges, and collects the
// events that Asterisk would send for what is done to them.
type exchange struct {
	now      time.Time
	channels map[bridge.ChannelID]*bridge.Channel
	bridges  map[string]*bridge.Bridge
	events   []bridge.Event
	// silent: the connection is down, so no event is collected.
	silent bool
	serial int
}

func newExchange() *exchange {
	return &exchange{
		now:      Midnight,
		channels: make(map[bridge.ChannelID]*bridge.Channel),
		bridges:  make(map[string]*bridge.Bridge),
	}
}

func (x *exchange) send(event bridge.Event) {
	if x.silent {
		return
	}
	event.Time = x.now
	x.events = append(x.events, event)
}

// view returns a channel as an event shows it now; nil for none.
func (x *exchange) view(id bridge.ChannelID) *bridge.Channel {
	ch := x.channels[id]
	if ch == nil {
		return nil
	}
	seen := *ch
	// Only a snapshot shows these two, which kontur-ari has to ask for.
	seen.LinkedID, seen.DialledNumber = "", ""
	return &seen
}

func (x *exchange) about(kind bridge.EventType, id bridge.ChannelID) {
	x.send(bridge.Event{Type: kind, Channel: x.view(id)})
}

// create makes a channel. It appends a serial to the endpoint as Asterisk does. A half of a
// Local channel is named in full.
func (x *exchange) create(id bridge.ChannelID, endpoint string, state bridge.ChannelState, caller, exten string) {
	name := endpoint
	if !strings.Contains(endpoint, ";") {
		name = fmt.Sprintf("%s-%08x", endpoint, x.serial)
		x.serial++
	}
	x.channels[id] = &bridge.Channel{
		ID: id, Name: name, State: state, CallerNumber: caller, Exten: exten,
		LinkedID: id, DialledNumber: exten,
	}
	if pair, second := strings.CutSuffix(name, ";2"); second {
		for _, other := range x.channels {
			if other.Name == pair+";1" {
				x.channels[id].LinkedID = other.LinkedID
			}
		}
	}
	x.about(bridge.EventChannelCreated, id)
}

func (x *exchange) state(id bridge.ChannelID, state bridge.ChannelState) {
	if ch := x.channels[id]; ch != nil {
		ch.State = state
	}
	x.about(bridge.EventChannelStateChange, id)
}

func (x *exchange) callerID(id bridge.ChannelID, number string) {
	if ch := x.channels[id]; ch != nil {
		ch.CallerNumber = number
	}
	x.about(bridge.EventChannelCallerID, id)
}

// dial starts a dial; caller is "" for an originate.
func (x *exchange) dial(caller, peer bridge.ChannelID, dialString string) {
	application := "AppDial"
	if from := x.channels[caller]; from != nil {
		if from.Application == "" {
			from.Application = "Dial"
		}
		application = "App" + from.Application
		from.Exten = "s"
		if to := x.channels[peer]; to != nil {
			x.link(to.LinkedID, from.LinkedID)
		}
	}
	if to := x.channels[peer]; to != nil {
		to.Application = application
	}
	x.send(bridge.Event{Type: bridge.EventDial, Caller: x.view(caller), Peer: x.view(peer), DialString: dialString})
}

// link gives all channels of one linkedid another one.
func (x *exchange) link(from, into bridge.ChannelID) {
	for _, ch := range x.channels {
		if ch.LinkedID == from {
			ch.LinkedID = into
		}
	}
}

// pickUp makes peer, which was not dialled, answer in place of the phones that ring.
func (x *exchange) pickUp(caller, peer bridge.ChannelID) {
	from, to := x.channels[caller], x.channels[peer]
	to.Application, to.Exten, to.DialledNumber = "AppDial", "", ""
	x.link(to.LinkedID, from.LinkedID)
	x.dialStatus(caller, peer, "ANSWER")
}

// blindTransfer sends the event of a blind transfer; it moves no channel.
func (x *exchange) blindTransfer(transferer, transferee bridge.ChannelID, exten string) {
	x.send(bridge.Event{Type: bridge.EventBlindTransfer, Channel: x.view(transferer), Transfer: &bridge.Transfer{
		Transferer: transferer, Transferee: transferee, Exten: exten, Context: "from-internal", Succeeded: true,
	}})
}

// attendedTransfer sends the event of an attended transfer; it moves no channel.
func (x *exchange) attendedTransfer(first, second, transferee, target bridge.ChannelID) {
	x.send(bridge.Event{Type: bridge.EventAttendedTransfer, Transfer: &bridge.Transfer{
		Transferer: first, SecondLeg: second, Transferee: transferee, Target: target, Succeeded: true,
	}})
}

func (x *exchange) dialStatus(caller, peer bridge.ChannelID, status string) {
	x.send(bridge.Event{Type: bridge.EventDial, Caller: x.view(caller), Peer: x.view(peer), DialStatus: status})
}

func (x *exchange) enter(id bridge.ChannelID, bridgeID string, holding bool) {
	r := x.bridges[bridgeID]
	if r == nil {
		r = &bridge.Bridge{ID: bridgeID, Holding: holding}
		x.bridges[bridgeID] = r
	}
	r.Channels = append(r.Channels, id)
	x.linkBridge(r)
	x.send(bridge.Event{Type: bridge.EventBridgeEntered, Channel: x.view(id), Bridge: bridgeView(r)})
}

// linkBridge gives all members of a bridge the oldest linkedid among them.
func (x *exchange) linkBridge(r *bridge.Bridge) {
	if r.Holding {
		return
	}
	oldest := bridge.ChannelID("")
	for _, id := range r.Channels {
		if ch := x.channels[id]; ch != nil && (oldest == "" || bornBefore(ch.LinkedID, oldest)) {
			oldest = ch.LinkedID
		}
	}
	for _, id := range r.Channels {
		if ch := x.channels[id]; ch != nil {
			ch.LinkedID = oldest
		}
	}
}

// bornBefore compares unique ids of one exchange.
func bornBefore(a, b bridge.ChannelID) bool {
	return len(a) < len(b) || len(a) == len(b) && a < b
}

func (x *exchange) leave(id bridge.ChannelID, bridgeID string) {
	r := x.bridges[bridgeID]
	if r == nil {
		return
	}
	r.Channels = slices.DeleteFunc(r.Channels, func(member bridge.ChannelID) bool { return member == id })
	x.send(bridge.Event{Type: bridge.EventBridgeLeft, Channel: x.view(id), Bridge: bridgeView(r)})
}

func bridgeView(r *bridge.Bridge) *bridge.Bridge {
	return &bridge.Bridge{ID: r.ID, Holding: r.Holding, Channels: slices.Clone(r.Channels)}
}

func (x *exchange) closeBridge(bridgeID string) {
	if r := x.bridges[bridgeID]; r != nil {
		delete(x.bridges, bridgeID)
		x.send(bridge.Event{Type: bridge.EventBridgeDestroyed, Bridge: bridgeView(r)})
	}
}

// closeEmpty destroys a bridge without members.
func (x *exchange) closeEmpty(bridgeID string) {
	if r := x.bridges[bridgeID]; r != nil && len(r.Channels) == 0 {
		x.closeBridge(bridgeID)
	}
}

// merge moves all members of a bridge into another. Asterisk sends an event for every channel
// that moves, so the event of the merge itself is left out.
func (x *exchange) merge(from, into string) {
	for _, id := range slices.Clone(x.bridges[from].Channels) {
		x.leave(id, from)
		x.enter(id, into, false)
	}
}

// destroy ends a channel; it leaves the bridge it is in first.
func (x *exchange) destroy(id bridge.ChannelID, cause int) {
	for _, bridgeID := range slices.Sorted(maps.Keys(x.bridges)) {
		if slices.Contains(x.bridges[bridgeID].Channels, id) {
			x.leave(id, bridgeID)
		}
	}
	gone := x.view(id)
	delete(x.channels, id)
	x.send(bridge.Event{Type: bridge.EventChannelDestroyed, Channel: gone, Cause: cause})
}

// kill removes everything without an event, as a crash of the exchange does.
func (x *exchange) kill() {
	clear(x.channels)
	clear(x.bridges)
}

// snapshot returns the snapshot of this moment.
func (x *exchange) snapshot() bridge.Event {
	truth := &bridge.Snapshot{}
	for _, id := range slices.Sorted(maps.Keys(x.channels)) {
		ch := *x.channels[id]
		if strings.HasPrefix(ch.Application, "App") {
			ch.DialledNumber = ""
		}
		truth.Channels = append(truth.Channels, ch)
	}
	for _, id := range slices.Sorted(maps.Keys(x.bridges)) {
		truth.Bridges = append(truth.Bridges, *bridgeView(x.bridges[id]))
	}
	return bridge.Event{Type: bridge.EventSnapshot, Time: x.now, Snapshot: truth}
}
