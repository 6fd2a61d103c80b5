package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// undoStack undoes everything that was acquired or started so far.
type undoStack []undoStep

// undoStep undoes one thing. do returns when its context ends.
type undoStep struct {
	share float64
	do    func(context.Context) error
}

// push adds a step. It may take a share of the time that is left when its turn comes.
func (u *undoStack) push(share float64, do func(context.Context) error) {
	*u = append(*u, undoStep{share, do})
}

// run takes all steps, the last one first. It goes on after a failure.
func (u *undoStack) run(ctx context.Context) error {
	var errs []error
	for _, step := range slices.Backward(*u) {
		bounded, cancel := withShare(ctx, step.share)
		errs = append(errs, step.do(bounded))
		cancel()
	}
	*u = nil
	return errors.Join(errs...)
}

// withShare returns a context that ends after a share of the time that ctx has left.
func withShare(ctx context.Context, share float64) (context.Context, context.CancelFunc) {
	deadline, limited := ctx.Deadline()
	if !limited {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(share*float64(time.Until(deadline))))
}

// closing makes a step of a function that may block. The step returns when its context
// ends, and the function goes on alone.
func closing(name string, do func() error) func(context.Context) error {
	return func(ctx context.Context) error { return await(ctx, name, do) }
}

// await runs do and returns its error. When ctx ends first, the error names what did
// not stop; do goes on in a goroutine of its own.
func await(ctx context.Context, name string, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return lateError(ctx, name)
	}
}

func lateError(ctx context.Context, name string) error {
	return fmt.Errorf("%s did not stop in time: %w", name, ctx.Err())
}

// noError makes a function that can't fail one that returns an error.
func noError(do func()) func() error {
	return func() error { do(); return nil }
}
