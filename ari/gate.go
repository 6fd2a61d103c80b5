package ari

import (
	"sync"
	"time"

	"kontur-ari/bridge"
)

// gate keeps events back until the connection's snapshot is there, and passes
// them straight on from then. Events keep their order; the sink is never called
// twice at a time.
type gate struct {
	sink     func(bridge.Event)
	counters *counters

	mu     sync.Mutex
	opened time.Time
	held   []bridge.Event
}

// pass takes an event that was just read.
func (g *gate) pass(event bridge.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened.IsZero() {
		g.held = append(g.held, event)
		return
	}
	g.deliver(event)
}

// open delivers the snapshot, then everything held, then lets events through.
func (g *gate) open(snapshot bridge.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deliver(snapshot)
	for _, event := range g.held {
		g.deliver(event)
	}
	g.held = nil
	g.opened = time.Now()
}

// discard forgets what is held: the snapshot of the next connection covers it.
func (g *gate) discard() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counters.discarded.Add(uint64(len(g.held)))
	g.held = nil
}

// flowed returns for how long the gate has been open.
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
