package tracker

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// call is one call, from its first channel to its last. A call is silent until a phone is
// called: its Direction is "", and nothing is reported. The store keeps its JSON form.
type call struct {
	ID              bridge.CallID    `json:"id"`
	Direction       bridge.Direction `json:"direction,omitempty"`
	ClientPhone     string           `json:"clientPhone,omitempty"`
	VatsPhone       string           `json:"vatsPhone,omitempty"`
	CommunicationID string           `json:"communicationId,omitempty"`
	// CreatedAt is the time of call-started, Last that of the call's last report.
	CreatedAt time.Time `json:"createdAt,omitzero"`
	// Started is the call's number among all calls that were reported started. It orders
	// calls by age even if the exchange's clock is set back. It is 0 in a call that an
	// older version has stored.
	Started  int64      `json:"started,omitempty"`
	Last     time.Time  `json:"last,omitzero"`
	Channels []*channel `json:"channels"`
	Legs     []*leg     `json:"legs,omitempty"`
	// ClickToCall is the CRM's command; nil for other calls.
	ClickToCall *clickToCall `json:"order,omitempty"`
	// Unheard are the channels that are gone and were never connected. Their recordings
	// are assigned to a leg at the end of the call.
	Unheard []bridge.Recorded `json:"unheard,omitempty"`
	// OwnRecording is the recording that we make now, nil for none. OwnRecordings counts
	// all that were begun.
	OwnRecording  *ownRecording `json:"making,omitempty"`
	OwnRecordings int           `json:"made,omitempty"`
}

// channel is a live channel.
type channel struct {
	ID   bridge.ChannelID `json:"id"`
	Name string           `json:"name"`
	// Caller is its caller number. Dialled is the number that it was created with: the
	// DID of an inbound channel, or what the employee has dialled.
	Caller  string `json:"caller,omitempty"`
	Dialled string `json:"dialled,omitempty"`
	// Incoming: its far end made the call. Originated: an originate has made it, no
	// channel dialled it. Undialled: a half of a Local channel that no channel dialled,
	// as Asterisk makes it for a consultation by keys.
	Incoming   bool `json:"incoming,omitempty"`
	Originated bool `json:"originated,omitempty"`
	Undialled  bool `json:"undialled,omitempty"`
	// DialledBy is the channel that dialled it; "" for none.
	DialledBy bridge.ChannelID `json:"dialledBy,omitempty"`
	// AwaitsCaller: a Local channel dialled it, and the caller behind that is not known yet.
	// DialString is kept until it is.
	AwaitsCaller bool   `json:"waits,omitempty"`
	DialString   string `json:"dialString,omitempty"`
	// BridgeID is the bridge it is in, "" for none and for holding bridges.
	BridgeID string `json:"room,omitempty"`
	// Held: its far end has put the other side on hold.
	Held bool `json:"held,omitempty"`
	// Served counts the legs that have its id, in all calls.
	Served int `json:"served,omitempty"`
	// Met: it has been connected to another person.
	Met bool `json:"met,omitempty"`
	// Joined: an attended transfer has connected it, and it has not left since.
	Joined bool `json:"joined,omitempty"`
	// Parted is the bridge that it leaves after its blind transfer. It may still be in
	// there for a moment.
	Parted string `json:"parted,omitempty"`
	// Noted: the note that its linkedid is of another call was already logged.
	Noted bool `json:"counted,omitempty"`
	// Born is when it became known. Heard is the leg that it was connected to first. Files
	// and Messages are the recordings that its variables have named. All are filled only
	// if recordings are wanted.
	Born     time.Time `json:"born,omitzero"`
	Heard    *heard    `json:"heard,omitempty"`
	Files    []string  `json:"files,omitempty"`
	Messages []string  `json:"messages,omitempty"`
	// Bridged: it is a half of a Local channel and was in a bridge.
	Bridged bool `json:"roomed,omitempty"`

	// unrecorded: at its end, its variables have named no recording.
	unrecorded bool

	side directory.Side
	call *call
}

// leg is one employee's part in a call.
type leg struct {
	ID bridge.LegID `json:"id"`
	// Channels are the employee's own, several if one extension rings on several devices.
	// Those that are gone or have refused are removed. In a consultation or a conference
	// they may belong to another call that still goes on.
	Channels []bridge.ChannelID `json:"channels"`
	// Caller is the channel that dialled; for an outbound call the employee's own.
	Caller bridge.ChannelID `json:"caller"`
	From   bridge.Party     `json:"from"`
	To     bridge.Party     `json:"to"`
	// State is the last call-event of the leg.
	State bridge.LegEvent `json:"state"`
	// Talked are the channels that it was connected to, without those that are gone or
	// have left for another conversation.
	Talked []bridge.ChannelID `json:"talked,omitempty"`
	// StartedAt is when it was connected first, FinishedAt when it ended.
	StartedAt  time.Time `json:"startedAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
}

func (c *call) silent() bool { return c.Direction == "" }

func (c *call) remove(id bridge.ChannelID) {
	c.Channels = slices.DeleteFunc(c.Channels, func(ch *channel) bool { return ch.ID == id })
}

// older compares calls by age: by the order of their call-started if both have it, else by
// its time, else by their ids.
func older(a, b *call) int {
	if a.Started != 0 && b.Started != 0 {
		return cmp.Compare(a.Started, b.Started)
	}
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(serial(bridge.ChannelID(a.ID)), serial(bridge.ChannelID(b.ID))), cmp.Compare(a.ID, b.ID))
}

// openLegOf returns the open leg that has the channel as its own; nil for none.
func (c *call) openLegOf(id bridge.ChannelID) *leg {
	for _, l := range c.Legs {
		if l.open() && slices.Contains(l.Channels, id) {
			return l
		}
	}
	return nil
}

// lastLeg returns the leg that the call's one finished event belongs to: the last that was
// connected, else the last one; nil for a call without legs.
func (c *call) lastLeg() *leg {
	var last *leg
	for _, l := range c.Legs {
		if last == nil || !l.StartedAt.IsZero() && !l.StartedAt.Before(last.StartedAt) || last.StartedAt.IsZero() {
			last = l
		}
	}
	return last
}

// withClient reports whether a client is a party of the leg.
func (l *leg) withClient() bool {
	return l.From.Type == bridge.PartyClient || l.To.Type == bridge.PartyClient
}

// lose removes a channel from the leg: it is gone or has moved to another call.
func (l *leg) lose(id bridge.ChannelID) {
	isIt := func(other bridge.ChannelID) bool { return other == id }
	l.Channels = slices.DeleteFunc(l.Channels, isIt)
	l.Talked = slices.DeleteFunc(l.Talked, isIt)
}

func (l *leg) open() bool { return l.State != bridge.LegDisconnected && l.State != bridge.LegFinished }

// pairName returns the name that both halves of a Local channel share; "" for other
// channels.
func (ch *channel) pairName() string {
	if ch.half() == "" {
		return ""
	}
	return ch.Name[:len(ch.Name)-len(";1")]
}

// half returns "1" for the half of a Local channel that is dialled, "2" for the half that
// runs the dial plan, and "" for other channels.
func (ch *channel) half() string {
	_, half, _ := strings.Cut(ch.Name, ";")
	if half == "1" || half == "2" {
		return half
	}
	return ""
}
