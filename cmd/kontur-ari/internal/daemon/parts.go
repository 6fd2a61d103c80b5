package daemon

import (
	"context"
	"errors"
	"sync"
)

// drainShare is the share of a part's time to stop in which it may finish its work.
// The rest is for breaking that off.
const drainShare = 0.8

// part is a component that works from its start until it is stopped. It may be started
// again after that.
type part struct {
	// name stands in errors and logs.
	name string
	// run works until its context ends. nil: the part works when others call it.
	run func(context.Context) error
	// drain, if set, comes before the end of run's context: it finishes the work at
	// hand, and should return when its own context ends.
	drain func(context.Context) error
	// vital: the daemon is of no use without it.
	vital bool

	cancel context.CancelFunc
	// done is nil while the part doesn't run.
	done chan error
	// stopped: stop was called since the last start.
	stopped bool
}

// start lets the part run. failed is called if it fails before it is asked to end.
func (p *part) start(failed func(*part, error)) {
	p.stopped = false
	if p.run == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	p.cancel, p.done = cancel, done
	go func() {
		err := p.run(ctx)
		if err != nil && ctx.Err() == nil {
			failed(p, err)
		}
		done <- err
	}()
}

// stop has the part finish its work, ends it and returns its error, or one that names
// the part when ctx ends first. It also undoes the making of a part that was not
// started. The second call does nothing.
func (p *part) stop(ctx context.Context) error {
	if p.stopped {
		return nil
	}
	p.stopped = true
	var drained error
	if p.drain != nil {
		draining, cancel := withShare(ctx, drainShare)
		drained = await(ctx, p.name, func() error { return p.drain(draining) })
		cancel()
	}
	if p.done == nil {
		return drained
	}
	p.cancel()
	select {
	case err := <-p.done:
		p.done = nil
		return errors.Join(drained, err)
	case <-ctx.Done():
		if drained != nil {
			return drained
		}
		return lateError(ctx, p.name)
	}
}

// stage is parts that start and stop together.
type stage struct {
	// share is how much of the time that is left stopping may take.
	share float64
	parts []*part
}

func (s stage) start(failed func(*part, error)) {
	for _, p := range s.parts {
		p.start(failed)
	}
}

// stop stops the parts side by side and returns when all have stopped, or ctx ends.
func (s stage) stop(ctx context.Context) error {
	var stopping sync.WaitGroup
	errs := make([]error, len(s.parts))
	for i, p := range s.parts {
		stopping.Go(func() { errs[i] = p.stop(ctx) })
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// upkeep makes a part of a function that works until its context ends.
func upkeep(name string, run func(context.Context)) *part {
	return &part{name: name, run: func(ctx context.Context) error {
		run(ctx)
		return nil
	}}
}
