package tracker

import (
	"slices"

	"kontur-ari/bridge"
)

// endedCalls holds the ids of a fixed number of calls that ended last.
type endedCalls struct {
	known map[bridge.CallID]bool
	ring  []bridge.CallID
	next  int
}

func newEndedCalls(size int) *endedCalls {
	return &endedCalls{known: make(map[bridge.CallID]bool), ring: make([]bridge.CallID, size)}
}

func (e *endedCalls) add(id bridge.CallID) {
	if e.known[id] {
		return
	}
	delete(e.known, e.ring[e.next])
	e.ring[e.next] = id
	e.known[id] = true
	e.next = (e.next + 1) % len(e.ring)
}

func (e *endedCalls) has(id bridge.CallID) bool { return e.known[id] }

// list returns the ids, oldest first.
func (e *endedCalls) list() []bridge.CallID {
	all := slices.Concat(e.ring[e.next:], e.ring[:e.next])
	return slices.DeleteFunc(all, func(id bridge.CallID) bool { return id == "" })
}
