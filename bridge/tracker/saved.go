package tracker

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kontur-ari/bridge"
)

// UnreadableCallsError names the calls in progress whose stored state can't be read. All
// other calls are restored.
type UnreadableCallsError struct {
	Calls []bridge.CallID
	// First is the error of the first of them.
	First error
}

func (e *UnreadableCallsError) Error() string {
	return fmt.Sprintf("the state of %d calls in progress can't be read, beginning with call %s: %v", len(e.Calls), e.Calls[0], e.First)
}

// Unwrap returns the error of the first call.
func (e *UnreadableCallsError) Unwrap() error { return e.First }

// Restore gives a new Tracker the state of an earlier one: the calls in progress, and the
// ids of the last calls that ended, oldest first. It must be called at most once, before
// the first Apply. The error is an [*UnreadableCallsError].
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

// readCall reads a stored call. It checks what Apply relies on: a state that made Apply
// panic would do so again at every start.
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

// restoreForeignCalls finds the channels of other calls that play a part in this call, and
// removes those that are gone.
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

// State returns the state of a call for Restore; false if it is not in progress.
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

// Saved returns what Restore takes: all calls in progress, and the ids of the last calls
// that ended, oldest first.
func (t *Tracker) Saved() (open []bridge.CallState, ended []bridge.CallID) {
	for _, id := range t.callIDs() {
		state, _ := t.State(id)
		open = append(open, state)
	}
	return open, t.ended.list()
}
