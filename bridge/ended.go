package bridge

import "slices"

// endedCalls remembers the ids of the last calls that ended, a fixed number.
type endedCalls struct {
	known map[CallID]bool
	ring  []CallID
	next  int
}

func newEndedCalls(size int) *endedCalls {
	return &endedCalls{known: make(map[CallID]bool), ring: make([]CallID, size)}
}

func (e *endedCalls) add(id CallID) {
	if e.known[id] {
		return
	}
	delete(e.known, e.ring[e.next])
	e.ring[e.next] = id
	e.known[id] = true
	e.next = (e.next + 1) % len(e.ring)
}

func (e *endedCalls) has(id CallID) bool { return e.known[id] }

// list returns the ids, those that ended first first.
func (e *endedCalls) list() []CallID {
	all := slices.Concat(e.ring[e.next:], e.ring[:e.next])
	return slices.DeleteFunc(all, func(id CallID) bool { return id == "" })
}
