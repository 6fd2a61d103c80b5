package ari

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxUnknownTypes bounds the names that are counted one by one.
	maxUnknownTypes = 64
	// maxTypeName bounds the length of such a name.
	maxTypeName = 64
	// otherTypes counts what exceeds maxUnknownTypes.
	otherTypes = "other"
)

// Stats are counters since the Source was made; they only grow.
type Stats struct {
	// Delivered events reached the sink, snapshots included.
	Delivered uint64
	// Unknown events were of a type that isn't interpreted; UnknownTypes counts
	// them by type (64 names at most, the rest under "other").
	Unknown      uint64
	UnknownTypes map[string]uint64
	// Stasis counts the StasisStart events of our application.
	Stasis uint64
	// Malformed messages were no events at all.
	Malformed uint64
	// Discarded events were read on a connection that ended before its snapshot
	// was complete; the next snapshot covers them.
	Discarded uint64
	// Bytes is the size of all messages of the websocket.
	Bytes uint64
	// Attempts counts the attempts to connect, Connections those that reached Flowing.
	// Reconnections are Connections-1.
	Attempts, Connections uint64
	// LastMessage is when a message last came; zero before the first.
	LastMessage time.Time
}

// counters are the live form of Stats. Safe for concurrent use.
type counters struct {
	delivered, unknown, malformed, discarded atomic.Uint64
	bytes, attempts, connections, stasis     atomic.Uint64
	lastMessage                              atomic.Int64

	mu    sync.Mutex
	types map[string]uint64
}

func (c *counters) countMessage(size int) {
	c.bytes.Add(uint64(size))
	c.lastMessage.Store(time.Now().UnixNano())
}

func (c *counters) countUnknown(name string) {
	c.unknown.Add(1)
	name = cut(name, maxTypeName)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.types == nil {
		c.types = map[string]uint64{}
	}
	if _, known := c.types[name]; !known && len(c.types) >= maxUnknownTypes {
		name = otherTypes
	}
	c.types[name]++
}

func (c *counters) snapshot() Stats {
	stats := Stats{
		Delivered:   c.delivered.Load(),
		Unknown:     c.unknown.Load(),
		Stasis:      c.stasis.Load(),
		Malformed:   c.malformed.Load(),
		Discarded:   c.discarded.Load(),
		Bytes:       c.bytes.Load(),
		Attempts:    c.attempts.Load(),
		Connections: c.connections.Load(),
	}
	if nanos := c.lastMessage.Load(); nanos != 0 {
		stats.LastMessage = time.Unix(0, nanos)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stats.UnknownTypes = maps.Clone(c.types)
	return stats
}
