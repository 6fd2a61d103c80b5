package intake

import (
	"maps"
	"sync"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
)

const (
	// mostReasons is how many reasons are counted apart. The Tracker has a handful
	// of them; should one ever hold a number of its own, the rest is otherReasons.
	mostReasons  = 64
	otherReasons = "other reasons"
	// mostRemembered bounds what is remembered of calls in progress.
	mostRemembered = 4096
)

// notes logs what the Tracker could not interpret and counts it: once for each
// call and reason, however often the Tracker says it while the call goes on. So a
// counter is the number of calls, and of log lines. It is used by one goroutine;
// counts may be called at any time.
type notes struct {
	log *zap.Logger
	// logged are the reasons that were logged of each call in progress; size is their
	// number.
	logged map[bridge.CallID][]string
	size   int

	mu       sync.Mutex
	byReason map[string]int64
}

func newNotes(log *zap.Logger) *notes {
	return &notes{log: log, logged: make(map[bridge.CallID][]string), byReason: make(map[string]int64)}
}

// take logs and counts a note that says something new.
func (n *notes) take(note tracker.Note) {
	for _, reason := range n.logged[note.Call] {
		if reason == note.Reason {
			return
		}
	}
	if n.size == mostRemembered {
		// A line that comes twice is better than a memory that grows.
		clear(n.logged)
		n.size = 0
	}
	n.logged[note.Call] = append(n.logged[note.Call], note.Reason)
	n.size++
	n.log.Warn("call not fully understood, so reported less",
		zap.String("call", string(note.Call)), zap.String("channel", string(note.Channel)), zap.String("reason", note.Reason))
	n.count(note.Reason)
}

// forget removes the reasons of a call that is over.
func (n *notes) forget(call bridge.CallID) {
	n.size -= len(n.logged[call])
	delete(n.logged, call)
}

func (n *notes) count(reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.byReason[reason]; !known && len(n.byReason) >= mostReasons {
		reason = otherReasons
	}
	n.byReason[reason]++
}

// counts returns how many calls were reported less, by reason.
func (n *notes) counts() map[string]int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.byReason)
}
