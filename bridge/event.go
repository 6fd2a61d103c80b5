package bridge

import "time"

// ChannelID is a channel's unique id as the switch gives it ("1795401475.25", or the id
// that an originate asked for). Only [CallOfClick] and the Tracker look into it; for all
// others it is opaque.
type ChannelID string

// EventType names a kind of event. The values are ARI's type names. Those that begin with
// KonturAri are our own.
type EventType string

// The events of the journal. Asterisk sends those without the prefix KonturAri. Package ari
// subscribes to them and to two more (StasisStart, ApplicationReplaced), which it handles
// itself. It counts any other type and drops it.
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
	// EventRecordingFinished: a recording that was made over ARI is complete.
	EventRecordingFinished EventType = "RecordingFinished"
	// EventSnapshot carries every channel and every bridge of the exchange, as read after
	// a connect. It is the first event of a connection.
	EventSnapshot EventType = "KonturAriSnapshot"
	// EventClickToCall: the CRM has commanded a call; the request to the exchange follows.
	// EventClickResult: the request was made, or will not be. Both are made here
	// ([NewClickToCallEvent], [NewClickPlacedEvent], [NewClickRefusedEvent]).
	EventClickToCall EventType = "KonturAriOrdered"
	EventClickResult EventType = "KonturAriOrderSettled"
	// EventHangup: the CRM hangs up a leg; the request to the exchange follows. The event
	// is for readers of the journal and changes nothing in the Tracker ([NewHangupEvent]).
	EventHangup EventType = "KonturAriHangup"
)

// Event is one event of the exchange, in the form that the Tracker reads. Type decides
// which fields are filled. A field that the exchange left out has its zero value; the
// Tracker copes with any of them missing.
type Event struct {
	// Type says what happened.
	Type EventType
	// Time is the exchange's clock, in milliseconds. It is zero when the exchange sent
	// none, or one that can't be read.
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
	// Transfer holds the parties of a blind or attended transfer.
	Transfer *Transfer
	// Cause is the Q.850 hang-up cause of a ChannelDestroyed; 0 is "unknown"
	// and usual for a phone that was not picked up.
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

// Subject returns the channel that the event is about: of a Dial the dialled one, of a
// click-to-call that of its first phone. It returns "" for an event about no single
// channel.
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

// Channel is the state of a channel at the moment of an event.
type Channel struct {
	// ID is unique, also across restarts of the exchange.
	ID ChannelID
	// Name is "technology/endpoint-serial" ("PJSIP/101-0000001a"). Names repeat
	// after a restart of the exchange.
	Name string
	// State is the channel's state.
	State ChannelState
	// CallerNumber is the channel's own caller number as the dial plan has set
	// it: for an inbound trunk channel the client, for a phone its extension
	// until the dial plan sets CALLERID(num), for a dialled trunk the number.
	CallerNumber string
	// Exten is the dial plan extension the channel is in. In the ChannelCreated
	// of an inbound trunk channel it is the number that was dialled (DID).
	Exten string
	// Application is the dial plan application that runs ("Dial", "AppDial",
	// "Queue", "AppQueue" ...). AppDial and AppQueue mean: this channel was dialled.
	Application string
	// WaitsForDial: the channel is in our application, where it was created for a click-to-call,
	// and has not moved on.
	WaitsForDial bool
	// LinkedID is the linkedid where the exchange is configured to show it
	// (channelvars) or, in a Snapshot, where it could be read; else "".
	LinkedID ChannelID
	// Files are the recordings that the channel's variables name, Messages the voicemail
	// messages. Both need the exchange to be configured to show these variables. Each is
	// a path on the exchange or a file's name; a message's may lack its extension.
	Files, Messages []string
	// NamesShown: the exchange is configured to show all of these variables, so a name
	// that is missing does not exist.
	NamesShown bool
	// DialledNumber is CALLERID(dnid), filled in a Snapshot only, where it could
	// be read: the DID of an inbound channel whose ChannelCreated was missed.
	DialledNumber string
}

// Bridge is an Asterisk bridge: the place where channels hear each other.
type Bridge struct {
	// ID is the bridge's unique id.
	ID string
	// Holding is true for bridges whose members do not hear each other (parking, queue
	// and hold music). A channel in one is not connected.
	Holding bool
	// Channels are the members after the event.
	Channels []ChannelID
}

// Transfer holds the parties of a blind or attended transfer. Any id may be "".
type Transfer struct {
	// Transferer is the channel that asked for it (its leg in the first call),
	// SecondLeg its leg in the consultation (attended only).
	Transferer, SecondLeg ChannelID
	// Transferee is the channel that is transferred; Target the one that it is connected
	// to (attended only).
	Transferee, Target ChannelID
	// Exten and Context are where a blind transfer goes.
	Exten, Context string
	// Succeeded is false for a transfer that the exchange refused.
	Succeeded bool
}

// Snapshot is the state of an exchange at one moment.
type Snapshot struct {
	// Channels are all live channels, in no particular order.
	Channels []Channel
	// Bridges are all bridges, empty ones included.
	Bridges []Bridge
	// MissedSince is when the last message came before this snapshot. What has changed
	// since then changed at an unknown time. It is zero when it is unknown too.
	MissedSince time.Time
}
