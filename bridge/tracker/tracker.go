package tracker

import (
	"maps"
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// Policy is what the operator decides about the reports.
type Policy struct {
	// ReportInternal: calls between employees are reported too.
	ReportInternal bool
	// Application is the ARI application whose orders are this Tracker's.
	Application string
	// Recordings: what may have been recorded of calls is told ([Outcome.Recorded]).
	Recordings bool
	// Make says which conversations are recorded for us.
	Make OwnRecordingPolicy
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
	directory *directory.Directory
	policy    Policy
	calls     map[bridge.CallID]*call
	channels  map[bridge.ChannelID]*channel
	// byPair finds a half of a Local channel by the name both share.
	byPair map[string][]*channel
	// byBridge finds who is in a bridge.
	byBridge map[string][]*channel
	// foreignCalls are the calls that have a channel of another call in a leg.
	foreignCalls map[bridge.ChannelID][]bridge.CallID
	ended        *endedCalls
	// snoops are the channels that listen to a channel.
	snoops       map[bridge.ChannelID][]bridge.ChannelID
	recentlyGone recentlyGone
	// started counts the calls that were reported started.
	started int64

	outcome Outcome
	// now is the time of the event at hand.
	now timeOfEvent
	// dirty are the calls and bridges that the event at hand has changed.
	dirty dirty
}

// dirty is what has to be looked at before an event is done with.
type dirty struct {
	calls   map[bridge.CallID]bool
	bridges map[string]bool
}

// Outcome is what one event caused.
type Outcome struct {
	// Call is the call that the event belongs to; "" for none or all.
	Call bridge.CallID
	// Reports are for the CRM, in order.
	Reports []bridge.Report
	// Touched are the calls whose state may be new, each once; [Tracker.State]
	// tells which of them are still in progress.
	Touched []bridge.CallID
	// Ended are the reported calls that are over, in order. They are touched too.
	Ended []bridge.CallID
	// Actions are for the switch, once the event is stored.
	Actions []bridge.Action
	// Recorded are the channels that are gone and of which there may be recordings, each
	// once.
	Recorded []bridge.Recorded
	// Failures are the ordered calls that ended without anybody being dialled.
	Failures []bridge.Failure
	// Notes name what could not be interpreted, each once.
	Notes []Note
}

// Note says that something about a call was not understood and so not reported.
type Note struct {
	Call    bridge.CallID
	Channel bridge.ChannelID
	// Reason is one of a fixed set of sentences, fit to count by.
	Reason string
}

// New makes a Tracker that knows no call.
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

// Apply takes the next event and returns what it caused. It accepts any event
// in any order; what makes no sense is ignored.
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

// callOf finds the call that an event belongs to.
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

// conclude draws the conclusions from what an event has changed: who is with whom
// now, what has become of the legs, which calls are over.
func (t *Tracker) conclude(at timeOfEvent) {
	t.connectBridges(at)
	t.eachDirty(func(c *call) { t.evaluate(c, at) })
	t.eachDirty(func(c *call) { t.endIfOver(c, at) })
	clear(t.dirty.calls)
	clear(t.dirty.bridges)
}

// connectBridges looks at who hears whom in the bridges that have changed.
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
	t.dirty.calls[c.ID] = true
	t.outcome.Touched = append(t.outcome.Touched, c.ID)
}

// stir marks every call in which a channel plays a part, and the bridge it is in,
// as one to be looked at.
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
