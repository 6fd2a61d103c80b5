package recordings

import (
	"sync"

	"go.uber.org/zap"
)

// trouble keeps a failure that lasts to a line for each change of its cause. It may be
// used concurrently.
type trouble struct {
	log *zap.Logger

	mu    sync.Mutex
	cause map[string]string
}

// because notes that something failed.
func (t *trouble) because(what, cause string, fields ...zap.Field) {
	t.mu.Lock()
	news := t.cause[what] != cause
	if t.cause == nil {
		t.cause = make(map[string]string)
	}
	t.cause[what] = cause
	t.mu.Unlock()
	if news {
		t.log.Warn(what, append(fields, zap.String("reason", cause))...)
	}
}

// over notes that it works.
func (t *trouble) over(what, how string) {
	t.mu.Lock()
	failed := t.cause[what] != ""
	delete(t.cause, what)
	t.mu.Unlock()
	if failed {
		t.log.Info(how)
	}
}
