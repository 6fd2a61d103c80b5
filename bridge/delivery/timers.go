package delivery

import "time"

// after has something done with the lock held, unless the dispatcher ends before.
func (d *Dispatcher) after(pause time.Duration, do func()) {
	if d.ended {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(pause, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.timers.forget(timer)
		if !d.ended {
			do()
		}
	})
	d.timers.remember(timer)
}

// timers are those that run.
type timers map[*time.Timer]struct{}

func (t *timers) remember(timer *time.Timer) {
	if *t == nil {
		*t = make(timers)
	}
	(*t)[timer] = struct{}{}
}

func (t *timers) forget(timer *time.Timer) { delete(*t, timer) }

func (t *timers) stop() {
	for timer := range *t {
		timer.Stop()
	}
	clear(*t)
}
