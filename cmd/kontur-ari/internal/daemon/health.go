package daemon

import (
	"context"
	"fmt"
)

// healthy returns nil while the process and its store work. It returns when ctx ends at
// the latest, also while the disk hangs.
func (d *Daemon) healthy(ctx context.Context) error {
	switch taken := d.intake.Stats(); {
	case taken.Dropping:
		return fmt.Errorf("events are dropped: memory is full of %d that can't be stored (storage.memory_max_size)", taken.Waiting)
	case taken.Failing:
		return fmt.Errorf("events can't be stored: %d wait in memory", taken.Waiting)
	case taken.Stalled:
		return fmt.Errorf("the disk takes long: %d events wait in memory", taken.Waiting)
	}
	return d.store.Check(ctx)
}

// passLocks takes the locks of the parts that events pass, and hangs where one of them
// is never released: the process must be restarted then. A failing disk doesn't hold
// them.
func (d *Daemon) passLocks() {
	d.intake.Stats()
	d.dispatcher.Stats()
	d.source.Status()
}
