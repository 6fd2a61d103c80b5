package intake

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// slowAfter is how long one try to commit may take before it is logged.
	slowAfter = 900 * time.Millisecond
	// calmAfter is how long commits must have been quick for slowness to be over.
	calmAfter = 10 * time.Second
)

// slowness logs that the disk takes long: one line when that begins, and one when it is
// over.
type slowness struct {
	log *zap.Logger

	mu sync.Mutex
	// late is set once the commit under way has taken long.
	late bool
	// began is when slowness began, and last when a commit was slow last; zero while
	// there is none.
	began, last time.Time
	over        *time.Timer
}

// watch watches one try to commit until done is called.
func (s *slowness) watch() (done func()) {
	started, finished := time.Now(), false
	timer := time.AfterFunc(slowAfter, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !finished {
			s.begin(started)
		}
	})
	return func() {
		timer.Stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		finished = true
		if s.late {
			s.late, s.last = false, time.Now()
			s.over = time.AfterFunc(calmAfter, s.end)
		}
	}
}

// begin is called with the lock held.
func (s *slowness) begin(started time.Time) {
	s.late = true
	if s.over != nil {
		s.over.Stop()
		s.over = nil
	}
	if s.began.IsZero() {
		s.began = started
		s.log.Warn("storing takes long; events wait in memory", zap.Duration("lasted", slowAfter))
	}
}

// end says that slowness is over, unless it has come back.
func (s *slowness) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over == nil || s.late {
		return
	}
	s.over = nil
	s.log.Info("storing is quick again", zap.Duration("lasted", s.last.Sub(s.began)))
	s.began = time.Time{}
}

// close says at once that slowness is over, where only that was left to be said.
func (s *slowness) close() {
	s.mu.Lock()
	if s.over != nil {
		s.over.Stop()
	}
	s.mu.Unlock()
	s.end()
}

// stalled returns whether the commit under way takes long.
func (s *slowness) stalled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.late
}
