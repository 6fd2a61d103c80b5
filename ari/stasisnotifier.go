package ari

import (
	"sync"

	"kontur-ari/bridge"
)

// stasisNotifier passes on the channels that enter Stasis for us on one connection:
// those that Asterisk announces, at once, and those that only the connection's snapshot
// shows. All methods may be called concurrently.
type stasisNotifier struct {
	notify func(StasisStart) // nil: nothing is passed on

	mu sync.Mutex
	// announced are the channels so far; nil once the snapshot was searched.
	announced map[bridge.ChannelID]bool
}

func newStasisNotifier(notify func(StasisStart)) *stasisNotifier {
	return &stasisNotifier{notify: notify, announced: map[bridge.ChannelID]bool{}}
}

// announce passes on a channel that has just entered.
func (n *stasisNotifier) announce(start StasisStart) {
	n.mu.Lock()
	if n.announced != nil {
		n.announced[start.Channel.ID] = true
	}
	n.mu.Unlock()
	if n.notify != nil {
		n.notify(start)
	}
}

// searchSnapshot passes on the waiting channels of a snapshot that Asterisk did not
// announce on this connection.
func (n *stasisNotifier) searchSnapshot(snapshot []byte, application string) {
	n.mu.Lock()
	announced := n.announced
	n.announced = nil
	n.mu.Unlock()
	var wire wireEvent
	if n.notify == nil || unmarshalTolerant(snapshot, &wire) != nil {
		return
	}
	for _, start := range waiting(wire.Channels, application) {
		if !announced[start.Channel.ID] {
			n.notify(start)
		}
	}
}
