package bridge

import "time"

// ChannelID is a channel's unique id as the switch gives it ("1795401475.25",
// or whatever an originate asked for). It is opaque: never parse it.
type ChannelID string

// EventType names a kind of event. The values are ARI's own type names, but for
// those that begin with KonturAri.
type EventType string

// The events that the Tracker interprets. Package ari asks Asterisk to send
// these and nothing else; a type that is not listed here is counted there and
// never reaches the Tracker.
const (
	EventChannelCreated     EventType = "ChannelCreated"
	EventChannelStateChange EventType = "ChannelStateChange"
	EventChannelCallerID    EventType = "ChannelCallerId"
	EventChannelHold        EventType = "ChannelHold"
	EventChannelUnhold      EventType = "ChannelUnhold"
	EventChannelDestroyed   EventType = "ChannelDestroyed"
	EventDial               EventType = "Dial"
	EventBridgeEntered      EventType = "ChannelEnteredBridge"
	EventBridgeLeft         EventType = "ChannelLeftBridge"
	EventBridgeDestroyed    EventType = "BridgeDestroyed"
	EventBlindTransfer      EventType = "BridgeBlindTransfer"
	EventAttendedTransfer   EventType = "BridgeAttendedTransfer"
	// EventRecordingFinished tells of a recording that was made over the switch's
	// interface.
	EventRecordingFinished EventType = "RecordingFinished"
	// EventSnapshot carries the whole truth of the switch (every channel, every
	// bridge) as read after a connect. It is the first event of a connection.
	EventSnapshot EventType = "KonturAriSnapshot"
	// EventClickToCall: the CRM has ordered a call, and the switch is to be told next.
	// EventClickResult: it was told, or will not be. Both are made here
	// ([NewClickToCallEvent], [NewClickPlacedEvent], [NewClickRefusedEvent]).
	EventClickToCall EventType = "KonturAriOrdered"
	EventClickResult EventType = "KonturAriOrderSettled"
	// EventHangup: the CRM wants a leg hung up, and the switch is told next. It is for those who read the journal;
	// what comes of it the switch's own events tell ([NewHangupEvent]).
	EventHangup EventType = "KonturAriHangup"
)

// Event is one thing that the switch said, in the form that the Tracker reads.
// Which fields are filled depends on Type; a field that the switch left out is
// its zero value, and the Tracker must cope with any of them missing.
type Event struct {
	// Type says what happened.
	Type EventType
	// Time is the switch's own clock, millisecond resolution. Zero when the
	// switch sent none or one that can't be read.
	Time time.Time
	// Channel is the channel that the event is about, as it was at that moment.
	// For Dial events it is nil: see Caller and Peer. For a blind transfer it is
	// the transferer.
	Channel *Channel
	// Caller is the dialling channel of a Dial; nil for an originated channel.
	Caller *Channel
	// Peer is the dialled channel of a Dial.
	Peer *Channel
	// DialStatus of a Dial: "" at its start, then RINGING, PROGRESS, ANSWER,
	// NOANSWER, BUSY, CANCEL, CHANUNAVAIL, CONGESTION and others.
	DialStatus string
	// DialString of a Dial: what follows the technology, "79997775533@trunk".
	DialString string
	// Bridge is the bridge that a channel entered or left, or that went away.
	Bridge *Bridge
	// Transfer tells the parties of a blind or attended transfer.
	Transfer *Transfer
	// Cause is the Q.850 hang-up cause of a ChannelDestroyed; 0 is "unknown"
	// and usual for a phone that nobody picked up.
	Cause int
	// Recording is filled for EventRecordingFinished only.
	Recording *FinishedRecording
	// Snapshot is filled for EventSnapshot only.
	Snapshot *Snapshot
	// ClickToCall is filled for EventClickToCall and EventClickResult only.
	ClickToCall *ClickToCallNews
	// Hangup is filled for EventHangup only.
	Hangup *HangupNews
	// Raw is the event exactly as received, one JSON document. It is what the
	// journal keeps; decoding it again gives this Event.
	Raw []byte
}

// Subject is the channel that the event is about: the dialled one of a Dial, that of
// the first phone of an order; ""
// for an event about no single channel.
func (e *Event) Subject() ChannelID {
	switch {
	case e.Channel != nil:
		return e.Channel.ID
	case e.Peer != nil:
		return e.Peer.ID
	case e.ClickToCall != nil:
		return e.ClickToCall.ClickToCall.Channel(1)
	case e.Recording != nil:
		return e.Recording.Channel
	}
	return ""
}

// ChannelState is Asterisk's name of a channel's state, as ARI shows it.
type ChannelState string

// The states that matter here. Ring is "an incoming call rings here", that is,
// the channel was made by the far end; Ringing is "the far end rings".
const (
	StateDown    ChannelState = "Down"
	StateRing    ChannelState = "Ring"
	StateRinging ChannelState = "Ringing"
	StateUp      ChannelState = "Up"
)

// Channel is what an event shows of a channel at one moment.
type Channel struct {
	// ID is unique for the life of the switch and across its restarts.
	ID ChannelID
	// Name is "technology/endpoint-serial" ("PJSIP/101-0000001a"). Names repeat
	// after a restart of the switch.
	Name string
	// State is the channel's state.
	State ChannelState
	// CallerNumber is the channel's own caller number as the dial plan has set
	// it: for an inbound trunk channel the client, for a phone its extension
	// until the dial plan sets CALLERID(num), for a dialled trunk the number.
	CallerNumber string
	// ConnectedNumber is the number of the other end as the channel is shown it.
	ConnectedNumber string
	// Exten is the dial plan extension the channel is in. In the ChannelCreated
	// of an inbound trunk channel it is the number that was dialled (DID).
	Exten string
	// Application is the dial plan application that runs ("Dial", "AppDial",
	// "Queue", "AppQueue" ...). AppDial and AppQueue mean: this channel was dialled.
	Application string
	// Waits: it is where it was put when it was made for an order, and nowhere else
	// that an application decides about it.
	Waits bool
	// LinkedID is the linkedid where the switch is configured to show it
	// (channelvars) or, in a Snapshot, where it could be read; else "".
	LinkedID ChannelID
	// Files are the names of recordings of conversations that the channel's variables
	// show, Messages those of messages that were left, where the switch is configured to
	// show these variables: a path as the switch has it, or a file's name; that of a
	// message may lack its extension.
	Files, Messages []string
	// NamesShown: the switch is configured to show all of these variables, so that what it
	// does not show is not.
	NamesShown bool
	// DialledNumber is CALLERID(dnid), filled in a Snapshot only, where it could
	// be read: the DID of an inbound channel whose ChannelCreated was missed.
	DialledNumber string
}

// Bridge is an Asterisk bridge: the place where channels hear each other.
type Bridge struct {
	// ID is the bridge's unique id.
	ID string
	// Holding is true for bridges where nobody talks to anybody (parking,
	// queue and hold music). Being in one is not being connected.
	Holding bool
	// Channels are the members after the event.
	Channels []ChannelID
}

// Transfer tells who did what in a blind or attended transfer. Any id may be "".
type Transfer struct {
	// Transferer is the channel that asked for it (its leg in the first call),
	// SecondLeg its leg in the consultation (attended only).
	Transferer, SecondLeg ChannelID
	// Transferee is who is sent elsewhere; Target who receives them (attended).
	Transferee, Target ChannelID
	// Exten and Context are where a blind transfer goes.
	Exten, Context string
	// Succeeded is false for a transfer that the switch refused.
	Succeeded bool
}

// Snapshot is what a switch knows at one moment.
type Snapshot struct {
	// Channels are all live channels, in no particular order.
	Channels []Channel
	// Bridges are all bridges, empty ones included.
	Bridges []Bridge
	// MissedSince is when the switch was last heard before this snapshot: what has
	// changed since then changed at a time that nobody knows. Zero when it is not
	// known either.
	MissedSince time.Time
}
