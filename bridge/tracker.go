package bridge

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// EndedMemory is how many ended calls are remembered by id, so that an event that
// comes late or twice cannot begin one of them anew.
const EndedMemory = 4096

// Policy is what the operator decides about the reports.
type Policy struct {
	// ReportInternal: calls between employees are reported too.
	ReportInternal bool
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
	byChannel map[ChannelID]*call
	// byPair finds a half of a Local channel by the name both share.
	byPair map[string][]ChannelID
	ended  *endedCalls

	outcome Outcome
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
		byChannel: make(map[ChannelID]*call),
		byPair:    make(map[string][]ChannelID),
		ended:     newEndedCalls(EndedMemory),
	}
}

// UnreadableCallsError names calls in progress whose stored state can't be read.
// The other calls are restored all the same.
type UnreadableCallsError struct {
	Calls []CallID
	// First is what is wrong with the first of them.
	First error
}

func (e *UnreadableCallsError) Error() string {
	return fmt.Sprintf("the state of %d calls in progress can't be read, beginning with call %s: %v", len(e.Calls), e.Calls[0], e.First)
}

// Unwrap returns what is wrong with the first call.
func (e *UnreadableCallsError) Unwrap() error { return e.First }

// Restore gives a new Tracker the calls that were in progress when another one
// was stopped, and the ids of calls that ended lately, oldest first. Call it
// once, before the first Apply. The error is an [*UnreadableCallsError].
func (t *Tracker) Restore(open []CallState, ended []CallID) error {
	for _, id := range ended {
		t.ended.add(id)
	}
	var unreadable UnreadableCallsError
	for _, state := range open {
		c, err := readCall(state)
		if err != nil {
			unreadable.Calls = append(unreadable.Calls, state.Call)
			unreadable.First = cmp.Or(unreadable.First, err)
			continue
		}
		t.calls[c.ID] = c
		for _, ch := range c.Channels {
			ch.side = t.directory.sideOf(ch.Name)
			t.index(c, ch)
		}
	}
	if len(unreadable.Calls) > 0 {
		return &unreadable
	}
	return nil
}

// readCall reads a stored call. What Apply relies on is checked, since a state
// that made it panic would do so again at every start.
func readCall(state CallState) (*call, error) {
	c := new(call)
	if err := json.Unmarshal(state.State, c); err != nil {
		return nil, err
	}
	if c.ID != state.Call || slices.Contains(c.Channels, nil) || slices.Contains(c.Legs, nil) {
		return nil, errors.New("it is not whole")
	}
	for _, l := range c.Legs {
		for _, id := range l.Channels {
			if c.channel(id) == nil {
				return nil, fmt.Errorf("leg %s has a channel %s that the call has not", l.ID, id)
			}
		}
	}
	return c, nil
}

// State returns a call in the form that Restore takes; false when it is not in
// progress.
func (t *Tracker) State(id CallID) (CallState, bool) {
	c, ok := t.calls[id]
	if !ok {
		return CallState{}, false
	}
	state, err := json.Marshal(c)
	if err != nil {
		// The struct holds strings, bools and times of four-digit years only.
		panic(fmt.Sprintf("call %s can't be written as JSON: %v", id, err))
	}
	return CallState{Call: id, State: state}, true
}

// Open returns how many calls and channels are known, silent calls included.
func (t *Tracker) Open() (calls, channels int) { return len(t.calls), len(t.byChannel) }

// Apply takes the next event and returns what it caused. It accepts any event
// in any order; what makes no sense is ignored.
func (t *Tracker) Apply(event Event) Outcome {
	t.outcome = Outcome{Call: t.callOf(event)}
	switch event.Type {
	case EventChannelCreated:
		t.created(event)
	case EventChannelStateChange, EventChannelCallerID:
		t.seen(event)
	case EventDial:
		t.dialEvent(event)
	case EventRoomEntered, EventRoomLeft, EventRoomMerged, EventRoomDestroyed:
		t.roomEvent(event)
	case EventChannelHold, EventChannelUnhold:
		t.holdEvent(event)
	case EventChannelDestroyed:
		t.destroyed(event)
	case EventSnapshot:
		t.reconcile(event)
	}
	if t.outcome.Call == "" {
		t.outcome.Call = t.callOf(event)
	}
	return t.settled()
}

// callOf finds the call that an event belongs to.
func (t *Tracker) callOf(event Event) CallID {
	if c := t.byChannel[event.Subject()]; c != nil {
		return c.ID
	}
	return ""
}

// settled closes the outcome of an event.
func (t *Tracker) settled() Outcome {
	o := t.outcome
	t.outcome = Outcome{}
	slices.Sort(o.Touched)
	o.Touched = slices.Compact(o.Touched)
	return o
}

func (t *Tracker) created(event Event) {
	if event.Channel == nil || event.Channel.ID == "" {
		return
	}
	if t.byChannel[event.Channel.ID] != nil {
		t.seen(event)
		return
	}
	c, ch := t.add(*event.Channel, CallID(event.Channel.ID))
	// The dial plan extension is the number dialled only now; it moves on with
	// the dial plan.
	ch.Dialled = event.Channel.Exten
	if ch.Incoming && ch.side == outside && c.silent() {
		t.startInbound(c, ch, event.Time)
	}
}

// add makes a channel known, in the call of that id or, a half of a Local
// channel, in the call of its other half.
func (t *Tracker) add(seen Channel, id CallID) (*call, *channel) {
	ch := &channel{
		ID: seen.ID, Name: seen.Name, Caller: seen.CallerNumber,
		Incoming: seen.State == StateRing,
		side:     t.directory.sideOf(seen.Name),
	}
	if other := t.byPair[ch.pairName()]; ch.pairName() != "" && len(other) > 0 {
		id = t.byChannel[other[0]].ID
	}
	c := t.calls[id]
	if c == nil {
		c = &call{ID: id}
		t.calls[id] = c
	}
	c.Channels = append(c.Channels, ch)
	t.index(c, ch)
	t.changed(c)
	return c, ch
}

func (t *Tracker) index(c *call, ch *channel) {
	t.byChannel[ch.ID] = c
	if pair := ch.pairName(); pair != "" && !slices.Contains(t.byPair[pair], ch.ID) {
		t.byPair[pair] = append(t.byPair[pair], ch.ID)
	}
}

// known returns a channel and its call, nil when either is unknown.
func (t *Tracker) known(seen *Channel) (*call, *channel) {
	if seen == nil {
		return nil, nil
	}
	c := t.byChannel[seen.ID]
	if c == nil {
		return nil, nil
	}
	return c, c.channel(seen.ID)
}

// seen takes what an event shows of a channel beside its own news.
func (t *Tracker) seen(event Event) {
	c, ch := t.known(event.Channel)
	if ch == nil {
		return
	}
	if number := event.Channel.CallerNumber; number != ch.Caller {
		ch.Caller = number
		t.changed(c)
	}
}

// merge moves all channels of a silent call into another call.
func (t *Tracker) merge(into, from *call) {
	into.Channels = append(into.Channels, from.Channels...)
	for _, ch := range from.Channels {
		t.byChannel[ch.ID] = into
	}
	delete(t.calls, from.ID)
	t.changed(from)
	t.changed(into)
}

func (t *Tracker) destroyed(event Event) {
	c, ch := t.known(event.Channel)
	if ch == nil {
		return
	}
	t.drop(c, ch)
	t.evaluate(c, event.Time)
	t.endIfOver(c, event.Time)
}

// drop forgets a channel that is gone.
func (t *Tracker) drop(c *call, ch *channel) {
	if ch.Waits {
		t.note(c, ch, noteNobodyDialed)
	}
	c.remove(ch.ID)
	delete(t.byChannel, ch.ID)
	if pair := ch.pairName(); pair != "" {
		t.byPair[pair] = slices.DeleteFunc(t.byPair[pair], func(id ChannelID) bool { return id == ch.ID })
		if len(t.byPair[pair]) == 0 {
			delete(t.byPair, pair)
		}
	}
	for _, l := range c.Legs {
		isGone := func(id ChannelID) bool { return id == ch.ID }
		l.Channels = slices.DeleteFunc(l.Channels, isGone)
		l.Talked = slices.DeleteFunc(l.Talked, isGone)
	}
	t.changed(c)
}

// endIfOver reports the end of a call in which nobody is left, and forgets it.
func (t *Tracker) endIfOver(c *call, at timeOfEvent) {
	if !c.over() {
		return
	}
	if !c.silent() {
		t.reportEnd(c, at)
		t.ended.add(c.ID)
		t.outcome.Ended = append(t.outcome.Ended, c.ID)
	}
	for _, ch := range slices.Clone(c.Channels) {
		t.drop(c, ch)
	}
	delete(t.calls, c.ID)
	t.changed(c)
}

func (t *Tracker) changed(c *call) { t.outcome.Touched = append(t.outcome.Touched, c.ID) }

func (t *Tracker) note(c *call, ch *channel, reason string) {
	t.outcome.Notes = append(t.outcome.Notes, Note{Call: c.ID, Channel: ch.ID, Reason: reason})
}
