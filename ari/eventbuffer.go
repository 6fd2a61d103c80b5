package ari

import (
	"sync"
	"time"

	"kontur-ari/bridge"
)

// eventBuffer holds the events of one connection back until a snapshot was delivered,
// and delivers later ones at once, until [eventBuffer.hold]. Events keep their order.
// The sink is never called twice at a time. All methods may be called concurrently.
type eventBuffer struct {
	sink     func(bridge.Event)
	counters *counters

	mu sync.Mutex
	// flowing: events are delivered at once. opened is when that began first.
	flowing bool
	opened  time.Time
	held    []bridge.Event
}

// add takes an event that was just read.
func (b *eventBuffer) add(event bridge.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.flowing {
		b.held = append(b.held, event)
		return
	}
	b.deliver(event)
}

// hold keeps events back from now on. A snapshot that is read afterwards shows the
// effect of every event delivered before.
func (b *eventBuffer) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flowing = false
}

// release delivers the snapshot and then all held events, and holds no more.
func (b *eventBuffer) release(snapshot bridge.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deliver(snapshot)
	for _, event := range b.held {
		b.deliver(event)
	}
	b.held, b.flowing = nil, true
	if b.opened.IsZero() {
		b.opened = time.Now()
	}
}

// discard drops what is held: the snapshot of the next connection covers it.
func (b *eventBuffer) discard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counters.discarded.Add(uint64(len(b.held)))
	b.held = nil
}

// flowed returns how long ago events were released first; 0 if they never were.
func (b *eventBuffer) flowed() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened.IsZero() {
		return 0
	}
	return time.Since(b.opened)
}

// deliver requires the lock.
func (b *eventBuffer) deliver(event bridge.Event) {
	b.sink(event)
	b.counters.delivered.Add(1)
}
