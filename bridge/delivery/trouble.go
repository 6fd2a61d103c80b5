package delivery

import (
	"time"

	"go.uber.org/zap"
)

// trouble logs failing deliveries once when they begin, once per change of
// cause and once when they are over. Its caller holds a lock.
type trouble struct {
	log    *zap.Logger
	reason string
	began  time.Time
	failed int
}

// because notes a failed try.
func (t *trouble) because(reason string, fields []zap.Field) {
	if t.failed == 0 {
		t.began = time.Now()
	}
	t.failed++
	if reason == t.reason {
		return
	}
	t.reason = reason
	t.log.Warn("the CRM can't be told; reports wait", append(fields, zap.String("reason", reason))...)
}

// over notes that an answer came that settles a report.
func (t *trouble) over() {
	if t.failed == 0 {
		return
	}
	t.log.Info("the CRM is told again", zap.Int("failed", t.failed), zap.Duration("lasted", time.Since(t.began)))
	t.reason, t.failed = "", 0
}
