package daemon

import (
	"context"
	"time"
)

const (
	// heardEvery is the pause between two records of when Asterisk was heard last.
	heardEvery = 10 * time.Second
	// noteWithin bounds a small write that a stop waits for.
	noteWithin = time.Second
)

// recordHeard stores when Asterisk was heard last: the next process takes from it how
// long no process listened. It returns when ctx ends, after a last record.
func (d *Daemon) recordHeard(ctx context.Context) {
	ticker := time.NewTicker(heardEvery)
	defer ticker.Stop()
	var recorded time.Time
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-ticker.C:
		}
		heard := d.source.LastHeard()
		// Events in memory are lost if this process ends before they are stored. They
		// count as not heard.
		if unstored := d.intake.Unstored(); !unstored.IsZero() && unstored.Before(heard) {
			heard = unstored
		}
		if heard.Equal(recorded) {
			continue
		}
		// A record that fails is no loss beside that of the events, which is reported.
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
		if err := d.store.SetLastHeard(writing, heard); err == nil {
			recorded = heard
		}
		cancel()
	}
}
