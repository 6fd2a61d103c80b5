package tracker

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// call is everything about one call, from the first channel to the last. A call
// in which nobody has been called yet is silent: its Direction is "", and nothing
// is reported of it. Its JSON form is what the store keeps.
type call struct {
	ID              bridge.CallID    `json:"id"`
	Direction       bridge.Direction `json:"direction,omitempty"`
	ClientPhone     string           `json:"clientPhone,omitempty"`
	VatsPhone       string           `json:"vatsPhone,omitempty"`
	CommunicationID string           `json:"communicationId,omitempty"`
	// CreatedAt is when the call was reported started, Last when anything was
	// reported of it last.
	CreatedAt time.Time `json:"createdAt,omitzero"`
	// Started counts the calls that were reported started, this one included: the
	// switch's clock may be set back, and which call is older must not depend on it.
	// 0 in a call that was stored before this was counted.
	Started  int64      `json:"started,omitempty"`
	Last     time.Time  `json:"last,omitzero"`
	Channels []*channel `json:"channels"`
	Legs     []*leg     `json:"legs,omitempty"`
	// ClickToCall is what the CRM has ordered it by; nil for other calls.
	ClickToCall *clickToCall `json:"order,omitempty"`
	// Unheard are the channels that are gone and that nobody talked to, for what was
	// recorded of them.
	Unheard []bridge.Recorded `json:"unheard,omitempty"`
	// OwnRecording is what is recorded of it for us now, nil for nothing; Made counts what was.
	OwnRecording  *ownRecording `json:"making,omitempty"`
	OwnRecordings int           `json:"made,omitempty"`
}

// channel is what is remembered of a live channel.
type channel struct {
	ID   bridge.ChannelID `json:"id"`
	Name string           `json:"name"`
	// Caller is its caller number, Dialled the number it was made with: the DID
	// of an inbound one, what the employee dialled for a phone.
	Caller  string `json:"caller,omitempty"`
	Dialled string `json:"dialled,omitempty"`
	// Incoming: its far end made the call. Originated: the switch was told to
	// call it by somebody other than a channel. Undialled: half of a Local channel
	// that nobody has dialled, as it is made for a consultation by keys.
	Incoming   bool `json:"incoming,omitempty"`
	Originated bool `json:"originated,omitempty"`
	Undialled  bool `json:"undialled,omitempty"`
	// DialledBy is the channel that dialled it; "" for none.
	DialledBy bridge.ChannelID `json:"dialledBy,omitempty"`
	// Waits: a Local channel dialled it, and who dialled that is not known yet.
	// DialString is kept that long.
	Waits      bool   `json:"waits,omitempty"`
	DialString string `json:"dialString,omitempty"`
	// Bridge is the bridge it is in, "" for none and for holding bridges.
	BridgeID string `json:"room,omitempty"`
	// Held: its far end has put the other side on hold.
	Held bool `json:"held,omitempty"`
	// Served is how many legs have been named after it, in whatever calls.
	Served int `json:"served,omitempty"`
	// Met: it has been in a room with somebody.
	Met bool `json:"met,omitempty"`
	// Joined: an attended transfer has brought it together with somebody, and it
	// has not gone on since.
	Joined bool `json:"joined,omitempty"`
	// Parted is the bridge whose talk it has ended by a blind transfer. It may be
	// in there for a moment still.
	Parted string `json:"parted,omitempty"`
	// Counted: it was told already that the switch counts it to another call.
	Counted bool `json:"counted,omitempty"`
	// Born is when it was first known, Heard the leg by which it was heard first, and
	// Files and Messages are the names of recordings that its variables have shown: all
	// for those recordings, and only where they are wanted.
	Born     time.Time `json:"born,omitzero"`
	Heard    *heard    `json:"heard,omitempty"`
	Files    []string  `json:"files,omitempty"`
	Messages []string  `json:"messages,omitempty"`
	// Bridged: it is a half of a Local channel, and was in a room.
	Bridged bool `json:"roomed,omitempty"`

	// unrecorded: the switch has said, as it went, that nothing is recorded of it.
	unrecorded bool

	side directory.Side
	call *call
}

// leg is one employee's part in a call.
type leg struct {
	ID bridge.LegID `json:"id"`
	// Channels are the leg's own: several where one extension rings on several
	// devices. Those that are gone, or have refused, are taken out. They are of
	// another call where that one goes on too: a consultation, a conference.
	Channels []bridge.ChannelID `json:"channels"`
	// Caller is the channel that dialled (or, outbound, the employee's own).
	Caller bridge.ChannelID `json:"caller"`
	From   bridge.Party     `json:"from"`
	To     bridge.Party     `json:"to"`
	// State is the last call-event of the leg.
	State bridge.LegEvent `json:"state"`
	// Talked are the channels it was connected to that are still there and have
	// not gone on to somebody else.
	Talked []bridge.ChannelID `json:"talked,omitempty"`
	// StartedAt is when it was connected first, FinishedAt when it ended.
	StartedAt  time.Time `json:"startedAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
}

func (c *call) silent() bool { return c.Direction == "" }

func (c *call) remove(id bridge.ChannelID) {
	c.Channels = slices.DeleteFunc(c.Channels, func(ch *channel) bool { return ch.ID == id })
}

// older orders calls by which was reported started first, where that was counted, else
// by when, and those of one moment by the birth of their first channels.
func older(a, b *call) int {
	if a.Started != 0 && b.Started != 0 {
		return cmp.Compare(a.Started, b.Started)
	}
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(serial(bridge.ChannelID(a.ID)), serial(bridge.ChannelID(b.ID))), cmp.Compare(a.ID, b.ID))
}

// openLegOf finds the leg, still going on, that has the channel as its own.
func (c *call) openLegOf(id bridge.ChannelID) *leg {
	for _, l := range c.Legs {
		if l.open() && slices.Contains(l.Channels, id) {
			return l
		}
	}
	return nil
}

// lastLeg is the leg that the call's one finished event belongs to: the last
// that was connected, else the last; nil when the call had none.
func (c *call) lastLeg() *leg {
	var last *leg
	for _, l := range c.Legs {
		if last == nil || !l.StartedAt.IsZero() && !l.StartedAt.Before(last.StartedAt) || last.StartedAt.IsZero() {
			last = l
		}
	}
	return last
}

// withClient tells whether somebody outside is a party of the leg.
func (l *leg) withClient() bool {
	return l.From.Type == bridge.PartyClient || l.To.Type == bridge.PartyClient
}

// lose takes a channel that is gone, or belongs to the call no more, out of the leg.
func (l *leg) lose(id bridge.ChannelID) {
	isIt := func(other bridge.ChannelID) bool { return other == id }
	l.Channels = slices.DeleteFunc(l.Channels, isIt)
	l.Talked = slices.DeleteFunc(l.Talked, isIt)
}

func (l *leg) open() bool { return l.State != bridge.LegDisconnected && l.State != bridge.LegFinished }

// pairName is the name that both halves of a Local channel share; "" for other
// channels.
func (ch *channel) pairName() string {
	if ch.half() == "" {
		return ""
	}
	return ch.Name[:len(ch.Name)-len(";1")]
}

// half is "1" for the half of a Local channel that is dialled, "2" for the one that
// runs the dial plan, and "" for other channels.
func (ch *channel) half() string {
	_, half, _ := strings.Cut(ch.Name, ";")
	if half == "1" || half == "2" {
		return half
	}
	return ""
}
