package commander

import (
	"sync"

	"kontur-ari/bridge"
)

// record begins a recording, unless it is to end already: the request to end it may overtake
// the one to begin it.
func (c *Commander) record(action bridge.Action) error {
	if c.ended.has(action.Recording) {
		return nil
	}
	err := c.phones.Record(c.life, action.Channel, action.Recording)
	if !c.ended.has(action.Recording) {
		return err
	}
	// The request to end it may have come before its channel existed.
	return c.phones.Hangup(c.life, bridge.ChannelID(action.Recording), normalClearing)
}

// mostEnded bounds how many ended recordings are remembered. Requests are repeated for some
// two minutes ([Commander.Act]), so older ones no longer matter.
const mostEnded = 1024

// ended remembers the last names added to it.
type ended struct {
	mu    sync.Mutex
	names []string
	known map[string]bool
}

func (e *ended) add(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known[name] {
		return
	}
	if e.known == nil {
		e.known = make(map[string]bool)
	}
	if e.names = append(e.names, name); len(e.names) > mostEnded {
		delete(e.known, e.names[0])
		e.names = e.names[1:]
	}
	e.known[name] = true
}

func (e *ended) has(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.known[name]
}
