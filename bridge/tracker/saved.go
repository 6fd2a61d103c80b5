package tracker

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kontur-ari/bridge"
)

// UnreadableCallsError names calls in progress whose stored state can't be read.
// The other calls are restored all the same.
type UnreadableCallsError struct {
	Calls []bridge.CallID
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
func (t *Tracker) Restore(open []bridge.CallState, ended []bridge.CallID) error {
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
		t.started = max(t.started, c.Started)
		for _, ch := range c.Channels {
			ch.side = t.directory.SideOf(ch.Name)
			t.index(c, ch)
		}
	}
	for _, id := range t.callIDs() {
		t.restoreForeignCalls(t.calls[id])
		for _, ch := range t.calls[id].Channels {
			t.snoop(ch)
		}
	}
	if len(unreadable.Calls) > 0 {
		return &unreadable
	}
	return nil
}

// readCall reads a stored call. What Apply relies on is checked, since a state
// that made it panic would do so again at every start.
func readCall(state bridge.CallState) (*call, error) {
	c := new(call)
	if err := json.Unmarshal(state.State, c); err != nil {
		return nil, err
	}
	if c.ID != state.Call || slices.Contains(c.Channels, nil) || slices.Contains(c.Legs, nil) {
		return nil, errors.New("it is not whole")
	}
	return c, nil
}

// restoreForeignCalls finds the channels of other calls that play a part in one. Those
// that no call has are gone.
func (t *Tracker) restoreForeignCalls(c *call) {
	for _, l := range c.Legs {
		for _, id := range slices.Concat(l.Channels, l.Talked, []bridge.ChannelID{l.Caller}) {
			if ch := t.channels[id]; ch == nil {
				l.lose(id)
			} else {
				t.addForeignChannel(c, ch)
			}
		}
	}
}

// State returns a call in the form that Restore takes; false when it is not in
// progress.
func (t *Tracker) State(id bridge.CallID) (bridge.CallState, bool) {
	c, ok := t.calls[id]
	if !ok {
		return bridge.CallState{}, false
	}
	state, err := json.Marshal(c)
	if err != nil {
		// The struct holds strings, bools and times of four-digit years only.
		panic(fmt.Sprintf("call %s can't be written as JSON: %v", id, err))
	}
	return bridge.CallState{Call: id, State: state}, true
}

// Saved returns all calls in progress and the ids of calls that ended lately, oldest
// first: what Restore takes.
func (t *Tracker) Saved() (open []bridge.CallState, ended []bridge.CallID) {
	for _, id := range t.callIDs() {
		state, _ := t.State(id)
		open = append(open, state)
	}
	return open, t.ended.list()
}
