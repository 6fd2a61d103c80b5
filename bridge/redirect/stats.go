package redirect

import (
	"maps"
	"sync"
	"time"

	"go.uber.org/zap"

	"kontur-ari/internal/oncelog"
)

// Stats are counters since the start, and how things stand.
type Stats struct {
	// Results counts callers by result, whether or not they were still there.
	Results map[Result]uint64
	// Gone counts callers who hung up early, Bare those who continued without all
	// variables, Stuck those whose channel could not continue, Dismissed channels with
	// arguments that mean nothing here.
	Gone, Bare, Stuck, Dismissed uint64
	// Underway is how many wait now.
	Underway int
	// Circuit is "closed" (the CRM is asked), "open" or "half-open".
	Circuit string
}

// Stats returns the counters.
func (r *Redirector) Stats() Stats {
	stats := r.counters.snapshot()
	r.mu.Lock()
	stats.Underway = len(r.underway)
	r.mu.Unlock()
	stats.Circuit = r.responsible.state()
	return stats
}

// counters are the live form of Stats. Safe for concurrent use.
type counters struct {
	mu      sync.Mutex
	stats   Stats
	results map[Result]uint64
}

func (c *counters) count(result Result, handed handover) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results[result]++
	c.handed(handed)
}

func (c *counters) dismiss(handed handover) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Dismissed++
	c.handed(handed)
}

// handed is called with the lock held.
func (c *counters) handed(handed handover) {
	switch handed {
	case gone:
		c.stats.Gone++
	case bare:
		c.stats.Bare++
	case stuck:
		c.stats.Stuck++
	}
}

func (c *counters) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	stats := c.stats
	stats.Results = maps.Clone(c.results)
	return stats
}

// noteOutcome counts and logs how serving a caller ended.
func (r *Redirector) noteOutcome(caller Caller, decided decision, handed handover, entered time.Time) {
	r.counters.count(decided.result, handed)
	r.noteTrouble(decided)
	fields := []zap.Field{
		zap.String("channel", string(caller.Channel)), zap.String("call", string(caller.Call)),
		zap.String("result", string(decided.result)), zap.Duration("lasted", time.Since(entered)),
	}
	if decided.result == Found {
		fields = append(fields, zap.String("user", decided.phone.UserID), zap.String("extension", decided.phone.Extension))
	}
	if handed != handedOver {
		fields = append(fields, zap.String("caller", string(handed)))
	}
	r.log.Info("a caller was asked about", fields...)
}

// noteTrouble logs a trouble when it begins, for each new cause, and when it is over.
func (r *Redirector) noteTrouble(decided decision) {
	switch {
	case decided.result == CircuitOpen:
		// The circuit breaker has its own line.
	case decided.err != nil:
		r.trouble.Failed("", oncelog.Cause(decided.err), zap.String("result", string(decided.result)), zap.Error(decided.err))
	case decided.result == Found || decided.result == Busy || decided.result == Offline:
		// Only these results need both the CRM and Asterisk.
		r.trouble.Over("")
	}
}
