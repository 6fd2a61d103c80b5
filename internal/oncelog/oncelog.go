// Package oncelog logs a lasting trouble in a few lines: one when it begins, one for
// each new cause, and one when it is over.
package oncelog

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// mostCauses bounds the causes that one trouble logs and remembers. A text that differs each
// time, such as one with a port, would fill the log.
const mostCauses = 32

// Trouble is something that may fail for a while, for several keys at the same time
// (calls, directories). All methods may be called concurrently.
type Trouble struct {
	log          *zap.Logger
	level        zapcore.Level
	begins, ends string

	mu      sync.Mutex
	began   time.Time
	failed  int
	failing map[string]bool
	causes  map[string]bool
}

// New returns a Trouble that logs begins at a level, with the field reason, and ends at
// level info, with the fields failed (attempts) and lasted.
func New(log *zap.Logger, level zapcore.Level, begins, ends string) *Trouble {
	return &Trouble{
		log: log, level: level, begins: begins, ends: ends,
		failing: make(map[string]bool), causes: make(map[string]bool),
	}
}

// Failed counts a failed attempt of a key. It logs a line for each reason that is new
// since the trouble began, for 32 of them at most.
func (t *Trouble) Failed(key, reason string, fields ...zap.Field) {
	if t.count(key, reason) {
		t.log.Log(t.level, t.begins, append(slices.Clip(fields), zap.String("reason", reason))...)
	}
}

// count returns whether the reason is new.
func (t *Trouble) count(key, reason string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.failing) == 0 {
		t.began = time.Now()
	}
	t.failed++
	t.failing[key] = true
	if t.causes[reason] || len(t.causes) == mostCauses {
		return false
	}
	t.causes[reason] = true
	return true
}

// Over notes that a key succeeded. It logs the end when no other key fails.
func (t *Trouble) Over(key string) {
	if failed, lasted, ended := t.end(key); ended {
		t.log.Info(t.ends, zap.Int("failed", failed), zap.Duration("lasted", lasted))
	}
}

// AllOver notes that every key succeeded. A key that fails later begins a new trouble.
func (t *Trouble) AllOver() {
	t.mu.Lock()
	keys := slices.Collect(maps.Keys(t.failing))
	t.mu.Unlock()
	for _, key := range keys {
		t.Over(key)
	}
}

func (t *Trouble) end(key string) (failed int, lasted time.Duration, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.failing[key] {
		return 0, 0, false
	}
	delete(t.failing, key)
	if len(t.failing) > 0 {
		return 0, 0, false
	}
	failed, lasted = t.failed, time.Since(t.began)
	t.failed = 0
	clear(t.causes)
	return failed, lasted, true
}

// Cause returns the innermost text of an error: what failed, without the attempt or the
// call that it failed for. Errors that join several are their own cause.
func Cause(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}
