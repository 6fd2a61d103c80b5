package commander

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"

	"kontur-ari/bridge"
)

// Stats are counts since the start.
type Stats struct {
	// Obeyed commands, Repeated among them: orders that had been given before.
	Obeyed, Repeated int64
	// Refused counts the others by status; Failed are those that could not be dealt
	// with.
	Refused map[bridge.RefusalStatus]int64
	Failed  int64
}

type stats struct {
	obeyed, repeated, failed atomic.Int64

	mu      sync.Mutex
	refused map[bridge.RefusalStatus]int64
}

// took counts a command by how it ended.
func (s *stats) took(err error) {
	refusal, refused := errors.AsType[*bridge.Refusal](err)
	switch {
	case err == nil:
		s.obeyed.Add(1)
	case refused:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.refused == nil {
			s.refused = make(map[bridge.RefusalStatus]int64)
		}
		s.refused[refusal.Status]++
	default:
		s.failed.Add(1)
	}
}

// Stats may be called at any time.
func (c *Commander) Stats() Stats {
	c.stats.mu.Lock()
	defer c.stats.mu.Unlock()
	return Stats{
		Obeyed: c.stats.obeyed.Load(), Repeated: c.stats.repeated.Load(),
		Refused: maps.Clone(c.stats.refused), Failed: c.stats.failed.Load(),
	}
}
