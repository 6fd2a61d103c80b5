package delivery

import "kontur-ari/bridge"

// Stats are counts since the start, and what is going on now.
type Stats struct {
	// Delivered and Refused reports have left the outbox; Retried counts tries that
	// failed, Collapsed the reports that were left out since their call was over.
	Delivered, Refused, Retried, Collapsed int64
	// Ready and Busy calls are being served, Waiting ones pause after a failure.
	Ready, Busy, Waiting int
	// Gate is "open" when all is well, "shut" while the CRM can't be reached and
	// "opening" when it is back.
	Gate string
	// More: more calls wait on disk than are served at a time.
	More bool
}

// Stats may be called at any time.
func (d *Dispatcher) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	stats := d.stats
	stats.Gate, stats.More = gateText[d.breaker.State()], d.backlog.more
	for _, l := range d.lanes {
		switch l.state {
		case ready, loaded:
			stats.Ready++
		case busy:
			stats.Busy++
		case waiting:
			stats.Waiting++
		}
	}
	return stats
}

// count is called with the lock held.
func (d *Dispatcher) count(verdict bridge.Verdict) {
	switch verdict {
	case bridge.Delivered:
		d.stats.Delivered++
	case bridge.Refused:
		d.stats.Refused++
	case bridge.Retry:
		d.stats.Retried++
	}
}
