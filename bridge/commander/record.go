package commander

import (
	"sync"

	"kontur-ari/bridge"
)

// record has a recording begun, unless it was to be ended meanwhile: the request to end it
// may overtake the one to begin it.
func (c *Commander) record(action bridge.Action) error {
	if c.ended.has(action.Recording) {
		return nil
	}
	err := c.phones.Record(c.life, action.Channel, action.Recording)
	if !c.ended.has(action.Recording) {
		return err
	}
	// Whoever ended it may have found nobody there yet.
	return c.phones.Hangup(c.life, bridge.ChannelID(action.Recording), normalClearing)
}

// mostEnded bounds how many recordings are remembered that were to be ended: a request that
// is tried again for a minute is long past by then.
const mostEnded = 1024

// ended remembers names, the last of them.
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
