package delivery

import (
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// trouble keeps failures that last to a line when they begin, one for each cause
// that joins, and one when the last call that failed has got through. It may be
// used concurrently.
type trouble struct {
	log          *zap.Logger
	begins, ends string

	mu      sync.Mutex
	began   time.Time
	failed  int
	failing map[bridge.CallID]bool
	causes  map[string]bool
}

func newTrouble(log *zap.Logger, begin, over string) *trouble {
	return &trouble{log: log, begins: begin, ends: over, failing: make(map[bridge.CallID]bool), causes: make(map[string]bool)}
}

// because notes a failed try of a call.
func (t *trouble) because(call bridge.CallID, reason string, fields ...zap.Field) {
	if t.isNews(call, reason) {
		t.log.Warn(t.begins, append(fields, zap.String("reason", reason))...)
	}
}

func (t *trouble) isNews(call bridge.CallID, reason string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.failing) == 0 {
		t.began = time.Now()
	}
	t.failed++
	t.failing[call] = true
	news := !t.causes[reason]
	t.causes[reason] = true
	return news
}

// over notes that a call has got through.
func (t *trouble) over(call bridge.CallID) {
	if failed, lasted, ended := t.ended(call); ended {
		t.log.Info(t.ends, zap.Int("failed", failed), zap.Duration("lasted", lasted))
	}
}

// allOver notes that everybody gets through again. A call that still does not is a
// trouble of its own from then on.
func (t *trouble) allOver() {
	t.mu.Lock()
	calls := slices.Collect(maps.Keys(t.failing))
	t.mu.Unlock()
	for _, call := range calls {
		t.over(call)
	}
}

func (t *trouble) ended(call bridge.CallID) (failed int, lasted time.Duration, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.failing[call] {
		return 0, 0, false
	}
	delete(t.failing, call)
	if len(t.failing) > 0 {
		return 0, 0, false
	}
	failed, lasted = t.failed, time.Since(t.began)
	t.failed = 0
	clear(t.causes)
	return failed, lasted, true
}
