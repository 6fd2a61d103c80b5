package redirect

import (
	"maps"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Stats are counters since the start, and how things stand.
type Stats struct {
	// Results counts callers by what was found out, whatever became of them.
	Results map[Result]uint64
	// Gone counts callers who hung up meanwhile, Bare those who went on without all
	// variables, Stuck those who could not be told to go on, Dismissed channels that
	// were not sent here to be asked about.
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

// tell counts and logs what became of a caller.
func (r *Redirector) tell(caller Caller, decided decision, handed handover, entered time.Time) {
	r.counters.count(decided.result, handed)
	r.trouble.note(decided)
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

// trouble keeps what goes wrong to one line when it begins, one for each change of
// its cause, and one when it is over. Safe for concurrent use.
type trouble struct {
	log *zap.Logger

	mu     sync.Mutex
	result Result
	cause  string
}

// note takes notice of how a decision came about.
func (t *trouble) note(decided decision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case decided.result == CircuitOpen:
		// The circuit breaker has its own line.
	case decided.cause != "":
		if t.cause != decided.cause || t.result != decided.result {
			t.log.Warn("trouble with redirecting callers", zap.String("result", string(decided.result)), zap.Error(decided.err))
		}
		t.result, t.cause = decided.result, decided.cause
	case t.cause != "" && (decided.result == Found || decided.result == Busy || decided.result == Offline):
		// Other results come about without the CRM or without Asterisk.
		t.log.Info("callers are redirected again")
		t.result, t.cause = "", ""
	}
}
