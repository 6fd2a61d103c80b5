package ari

import (
	"sync"
	"time"

	"kontur-ari/bridge"
)

// gate keeps events back until a snapshot is there, and passes them straight on from
// then, or until it is shut for the next snapshot. Events keep their order; the sink is
// never called twice at a time.
type gate struct {
	sink     func(bridge.Event)
	counters *counters

	mu sync.Mutex
	// opened is when it was opened first.
	opened time.Time
	open   bool
	held   []bridge.Event
}

// pass takes an event that was just read.
func (g *gate) pass(event bridge.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		g.held = append(g.held, event)
		return
	}
	g.deliver(event)
}

// shut keeps events back from now on. A snapshot that is read afterwards shows
// everything that was passed before.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = false
}

// release delivers the snapshot, then everything held, then lets events through.
func (g *gate) release(snapshot bridge.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deliver(snapshot)
	for _, event := range g.held {
		g.deliver(event)
	}
	g.held, g.open = nil, true
	if g.opened.IsZero() {
		g.opened = time.Now()
	}
}

// discard forgets what is held: the snapshot of the next connection covers it.
func (g *gate) discard() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counters.discarded.Add(uint64(len(g.held)))
	g.held = nil
}

// flowed returns how long ago the gate was opened first.
func (g *gate) flowed() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened.IsZero() {
		return 0
	}
	return time.Since(g.opened)
}

func (g *gate) deliver(event bridge.Event) {
	g.sink(event)
	g.counters.delivered.Add(1)
}
