package bridge

import (
	"maps"
	"slices"
	"time"
)

// EndedMemory is how many ended calls are remembered by id, so that an event that
// comes late or twice cannot begin one of them anew.
const EndedMemory = 4096

// Policy is what the operator decides about the reports.
type Policy struct {
	// ReportInternal: calls between employees are reported too.
	ReportInternal bool
	// Application is the ARI application whose orders are this Tracker's.
	Application string
	// Recordings: what may have been recorded of calls is told ([Outcome.Recorded]).
	Recordings bool
	// Make says which conversations are recorded for us.
	Make MakePolicy
}

// Tracker turns the events of a switch into reports: it knows every channel that
// lives and every call in progress. It is not safe for concurrent use; it reads
// no clock and does no I/O, so the same events give the same reports, also when
// it is saved and restored in between.
//
// Only a ChannelCreated or a Snapshot makes a channel known. Events about
// channels that are not known are ignored: what came before the snapshot of a
// connection cannot bring back what the snapshot has ended.
type Tracker struct {
	directory *Directory
	policy    Policy
	calls     map[CallID]*call
	channels  map[ChannelID]*channel
	// byPair finds a half of a Local channel by the name both share.
	byPair map[string][]*channel
	// byRoom finds who is in a bridge.
	byRoom map[string][]*channel
	// guests are the calls that have a channel of another call in a leg.
	guests map[ChannelID][]CallID
	ended  *endedCalls
	// snoops are the channels that listen to a channel.
	snoops map[ChannelID][]ChannelID
	lately lately
	// started counts the calls that were reported started.
	started int64

	outcome Outcome
	// now is the time of the event at hand.
	now timeOfEvent
	// stirred are the calls and bridges that the event at hand has changed.
	stirred stirred
}

// stirred is what has to be looked at before an event is done with.
type stirred struct {
	calls map[CallID]bool
	rooms map[string]bool
}

// Outcome is what one event caused.
type Outcome struct {
	// Call is the call that the event belongs to; "" for none or all.
	Call CallID
	// Reports are for the CRM, in order.
	Reports []Report
	// Touched are the calls whose state may be new, each once; [Tracker.State]
	// tells which of them are still in progress.
	Touched []CallID
	// Ended are the reported calls that are over, in order. They are touched too.
	Ended []CallID
	// Actions are for the switch, once the event is stored.
	Actions []Action
	// Recorded are the channels that are gone and of which there may be recordings, each
	// once.
	Recorded []Recorded
	// Failures are the ordered calls that ended without anybody being dialled.
	Failures []Failure
	// Notes name what could not be interpreted, each once.
	Notes []Note
}

// Note says that something about a call was not understood and so not reported.
type Note struct {
	Call    CallID
	Channel ChannelID
	// Reason is one of a fixed set of sentences, fit to count by.
	Reason string
}

// NewTracker makes a Tracker that knows no call.
func NewTracker(directory *Directory, policy Policy) *Tracker {
	return &Tracker{
		directory: directory,
		policy:    policy,
		calls:     make(map[CallID]*call),
		channels:  make(map[ChannelID]*channel),
		byPair:    make(map[string][]*channel),
		byRoom:    make(map[string][]*channel),
		guests:    make(map[ChannelID][]CallID),
		snoops:    make(map[ChannelID][]ChannelID),
		ended:     newEndedCalls(EndedMemory),
		stirred:   stirred{calls: make(map[CallID]bool), rooms: make(map[string]bool)},
	}
}

// Open returns how many calls and channels are known, silent calls included.
func (t *Tracker) Open() (calls, channels int) { return len(t.calls), len(t.channels) }

// Apply takes the next event and returns what it caused. It accepts any event
// in any order; what makes no sense is ignored.
func (t *Tracker) Apply(event Event) Outcome {
	t.outcome = Outcome{Call: t.callOf(event)}
	t.now = event.Time.UTC().Truncate(time.Millisecond)
	for _, seen := range []*Channel{event.Channel, event.Caller, event.Peer} {
		t.showFiles(seen)
	}
	switch event.Type {
	case EventChannelCreated:
		t.created(event)
	case EventChannelStateChange, EventChannelCallerID:
		t.seen(event)
	case EventDial:
		t.dialEvent(event)
	case EventRoomEntered, EventRoomLeft, EventRoomDestroyed:
		t.roomEvent(event)
	case EventBlindTransfer:
		t.blindTransfer(event)
	case EventAttendedTransfer:
		t.attendedTransfer(event)
	case EventChannelHold, EventChannelUnhold:
		t.holdEvent(event)
	case EventChannelDestroyed:
		t.destroyed(event)
	case EventRecordingFinished:
		t.recordingFinished(event)
	case EventSnapshot:
		t.reconcile(event)
	case EventOrdered:
		t.ordered(event)
	case EventOrderSettled:
		t.orderSettled(event)
	}
	t.settle(event.Time)
	if t.outcome.Call == "" {
		t.outcome.Call = t.callOf(event)
	}
	return t.takeOutcome()
}

// callOf finds the call that an event belongs to.
func (t *Tracker) callOf(event Event) CallID {
	if ch := t.channels[event.Subject()]; ch != nil {
		return ch.call.ID
	}
	if event.Order != nil {
		return event.Order.Order.Call()
	}
	if event.Hangup != nil {
		return event.Hangup.Call
	}
	return ""
}

// settle draws the conclusions from what an event has changed: who is with whom
// now, what has become of the legs, which calls are over.
func (t *Tracker) settle(at timeOfEvent) {
	t.joinRooms(at)
	t.eachStirred(func(c *call) { t.evaluate(c, at) })
	t.eachStirred(func(c *call) { t.endIfOver(c, at) })
	clear(t.stirred.calls)
	clear(t.stirred.rooms)
}

// joinRooms looks at who hears whom in the bridges that have changed.
func (t *Tracker) joinRooms(at timeOfEvent) {
	for _, room := range slices.Sorted(maps.Keys(t.stirred.rooms)) {
		if there := t.byRoom[room]; len(there) > 0 {
			talk := t.talkOf(there[0])
			var last *call
			for _, ch := range talk {
				if ch.call != last {
					t.placeWaiting(ch.call, at)
				}
				last = ch.call
				t.stirred.calls[ch.call.ID] = true
			}
			t.join(talk, at)
		}
	}
}

func (t *Tracker) eachStirred(do func(*call)) {
	for _, id := range slices.Sorted(maps.Keys(t.stirred.calls)) {
		if c := t.calls[id]; c != nil {
			do(c)
		}
	}
}

// takeOutcome closes the outcome of an event.
func (t *Tracker) takeOutcome() Outcome {
	o := t.outcome
	t.outcome = Outcome{}
	slices.Sort(o.Touched)
	o.Touched = slices.Compact(o.Touched)
	return o
}

// changed marks a call as one to be looked at, and stored.
func (t *Tracker) changed(c *call) {
	t.stirred.calls[c.ID] = true
	t.outcome.Touched = append(t.outcome.Touched, c.ID)
}

// stir marks every call in which a channel plays a part, and the bridge it is in,
// as one to be looked at.
func (t *Tracker) stir(ch *channel) {
	t.stirred.calls[ch.call.ID] = true
	for _, id := range t.guests[ch.ID] {
		t.stirred.calls[id] = true
	}
	t.stirRoom(ch.Room)
	if other := t.otherHalf(ch); other != nil {
		t.stirRoom(other.Room)
	}
}

func (t *Tracker) stirRoom(room string) {
	if room != "" {
		t.stirred.rooms[room] = true
	}
}

func (t *Tracker) note(c *call, ch *channel, reason string) {
	t.outcome.Notes = append(t.outcome.Notes, Note{Call: c.ID, Channel: ch.ID, Reason: reason})
}
