package tracker

import (
	"maps"
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// Policy is the operator's choice of what is reported and recorded.
type Policy struct {
	// ReportInternal: calls between employees are reported too.
	ReportInternal bool
	// Application is the ARI application whose click-to-calls and recordings are ours.
	Application string
	// Recordings: [Outcome.Recorded] is filled.
	Recordings bool
	// Make says which conversations we record ourselves.
	Make OwnRecordingPolicy
}

// Tracker turns the events of an exchange into reports. It knows every live channel and
// every call in progress. It is not safe for concurrent use. It reads no clock and does
// no I/O, so the same events give the same reports, also with a save and a restore in
// between.
//
// Only a ChannelCreated or a Snapshot makes a channel known, and events about unknown
// channels are ignored. So an event from before a snapshot cannot bring back a channel
// that the snapshot has removed.
type Tracker struct {
	directory *directory.Directory
	policy    Policy
	calls     map[bridge.CallID]*call
	channels  map[bridge.ChannelID]*channel
	// byPair holds the halves of Local channels by the name that both share.
	byPair map[string][]*channel
	// byBridge holds the members of each bridge.
	byBridge map[string][]*channel
	// foreignCalls holds, by channel, the other calls in which it plays a part.
	foreignCalls map[bridge.ChannelID][]bridge.CallID
	ended        *endedCalls
	// snoops holds, by channel, the snoop channels that listen to it.
	snoops       map[bridge.ChannelID][]bridge.ChannelID
	recentlyGone recentlyGone
	// started counts the calls that were reported started.
	started int64

	outcome Outcome
	// now is the time of the event at hand.
	now timeOfEvent
	// dirty holds the calls and bridges that the event at hand has changed.
	dirty dirty
}

// dirty holds the calls and bridges that are evaluated at the end of an event.
type dirty struct {
	calls   map[bridge.CallID]bool
	bridges map[string]bool
}

// Outcome is what one event caused.
type Outcome struct {
	// Call is the call that the event belongs to; "" for none or for all.
	Call bridge.CallID
	// Reports are for the CRM, in order.
	Reports []bridge.Report
	// Touched are the calls whose state may have changed, each once, sorted.
	// [Tracker.State] returns the state of those that are still in progress.
	Touched []bridge.CallID
	// Ended are the reported calls that are over, in order. They are in Touched too.
	Ended []bridge.CallID
	// Actions are for the exchange. They must wait until the event is stored.
	Actions []bridge.Action
	// Recorded are the channels that are gone and may have recordings, each once.
	Recorded []bridge.Recorded
	// Click is the decision about the click-to-call of an EventClickToCall; else "".
	Click bridge.ClickDecision
	// Failures are the click-to-calls that ended before the other party was dialled.
	Failures []bridge.Failure
	// Notes name what could not be understood, each once.
	Notes []Note
}

// Note says that a part of a call was not understood, so it was not reported.
type Note struct {
	Call    bridge.CallID
	Channel bridge.ChannelID
	// Reason is one of a fixed set of sentences, so metrics may use it as a label.
	Reason string
}

// New returns a Tracker that knows no call.
func New(people *directory.Directory, policy Policy) *Tracker {
	return &Tracker{
		directory:    people,
		policy:       policy,
		calls:        make(map[bridge.CallID]*call),
		channels:     make(map[bridge.ChannelID]*channel),
		byPair:       make(map[string][]*channel),
		byBridge:     make(map[string][]*channel),
		foreignCalls: make(map[bridge.ChannelID][]bridge.CallID),
		snoops:       make(map[bridge.ChannelID][]bridge.ChannelID),
		ended:        newEndedCalls(bridge.EndedMemory),
		dirty:        dirty{calls: make(map[bridge.CallID]bool), bridges: make(map[string]bool)},
	}
}

// Open returns how many calls and channels are known, silent calls included.
func (t *Tracker) Open() (calls, channels int) { return len(t.calls), len(t.channels) }

// Apply takes the next event and returns what it caused. It accepts any event in any order
// and ignores what makes no sense.
func (t *Tracker) Apply(event bridge.Event) Outcome {
	t.outcome = Outcome{Call: t.callOf(event)}
	t.now = event.Time.UTC().Truncate(time.Millisecond)
	for _, seen := range []*bridge.Channel{event.Channel, event.Caller, event.Peer} {
		t.showFiles(seen)
	}
	switch event.Type {
	case bridge.EventChannelCreated:
		t.created(event)
	case bridge.EventChannelStateChange, bridge.EventChannelCallerID:
		t.seen(event)
	case bridge.EventDial:
		t.dialEvent(event)
	case bridge.EventBridgeEntered, bridge.EventBridgeLeft, bridge.EventBridgeDestroyed:
		t.bridgeEvent(event)
	case bridge.EventBlindTransfer:
		t.blindTransfer(event)
	case bridge.EventAttendedTransfer:
		t.attendedTransfer(event)
	case bridge.EventChannelHold, bridge.EventChannelUnhold:
		t.holdEvent(event)
	case bridge.EventChannelDestroyed:
		t.destroyed(event)
	case bridge.EventRecordingFinished:
		t.recordingFinished(event)
	case bridge.EventSnapshot:
		t.reconcile(event)
	case bridge.EventClickToCall:
		t.clickToCallGiven(event)
	case bridge.EventClickResult:
		t.clickToCallResult(event)
	}
	t.conclude(event.Time)
	if t.outcome.Call == "" {
		t.outcome.Call = t.callOf(event)
	}
	return t.takeOutcome()
}

// callOf returns the call that an event belongs to; "" for none.
func (t *Tracker) callOf(event bridge.Event) bridge.CallID {
	if ch := t.channels[event.Subject()]; ch != nil {
		return ch.call.ID
	}
	if event.ClickToCall != nil {
		return event.ClickToCall.ClickToCall.Call()
	}
	if event.Hangup != nil {
		return event.Hangup.Call
	}
	return ""
}

// conclude evaluates what an event has changed: who is connected now, the states of the
// legs, and which calls are over.
func (t *Tracker) conclude(at timeOfEvent) {
	t.connectBridges(at)
	t.eachDirty(func(c *call) { t.evaluate(c, at) })
	t.eachDirty(func(c *call) { t.endIfOver(c, at) })
	clear(t.dirty.calls)
	clear(t.dirty.bridges)
}

// connectBridges evaluates who hears whom in the bridges that have changed.
func (t *Tracker) connectBridges(at timeOfEvent) {
	for _, bridgeID := range slices.Sorted(maps.Keys(t.dirty.bridges)) {
		if there := t.byBridge[bridgeID]; len(there) > 0 {
			talk := t.talkOf(there[0])
			var last *call
			for _, ch := range talk {
				if ch.call != last {
					t.attachWaiting(ch.call, at)
				}
				last = ch.call
				t.dirty.calls[ch.call.ID] = true
			}
			t.connectUndialled(talk, at)
		}
	}
}

func (t *Tracker) eachDirty(do func(*call)) {
	for _, id := range slices.Sorted(maps.Keys(t.dirty.calls)) {
		if c := t.calls[id]; c != nil {
			do(c)
		}
	}
}

// takeOutcome returns the outcome of an event and clears it for the next.
func (t *Tracker) takeOutcome() Outcome {
	o := t.outcome
	t.outcome = Outcome{}
	slices.Sort(o.Touched)
	o.Touched = slices.Compact(o.Touched)
	return o
}

// changed marks a call to be evaluated and stored.
func (t *Tracker) changed(c *call) {
	t.dirty.calls[c.ID] = true
	t.outcome.Touched = append(t.outcome.Touched, c.ID)
}

// markDirty marks every call in which a channel plays a part, and its bridge, to be
// evaluated. For a half of a Local channel it marks the bridge of the other half too.
func (t *Tracker) markDirty(ch *channel) {
	t.dirty.calls[ch.call.ID] = true
	for _, id := range t.foreignCalls[ch.ID] {
		t.dirty.calls[id] = true
	}
	t.markBridgeDirty(ch.BridgeID)
	if other := t.otherHalf(ch); other != nil {
		t.markBridgeDirty(other.BridgeID)
	}
}

func (t *Tracker) markBridgeDirty(bridgeID string) {
	if bridgeID != "" {
		t.dirty.bridges[bridgeID] = true
	}
}

func (t *Tracker) note(c *call, ch *channel, reason string) {
	t.outcome.Notes = append(t.outcome.Notes, Note{Call: c.ID, Channel: ch.ID, Reason: reason})
}
