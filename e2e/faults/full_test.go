package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A daemon must say that its disk is full within a second, and store again five seconds
// after there is space. These limits leave room for a busy machine; how much time was
// needed is in the table.
const (
	alarmsWithin = 5 * time.Second
	healsWithin  = 15 * time.Second
)

// A daemon whose disk is full stays up, goes on listening to Asterisk and says what is
// wrong; nothing is lost when there is space again.
func TestAFullDiskLosesNothing(t *testing.T) {
	fault{
		name: "disk full", full: 20, short: 2, parts: 4, repeats: "none",
		prepare: func(o *office) error { return onADisk(o, 24) },
		strike: func(ctx context.Context, o *office, _ int) (allowance, error) {
			filler := filepath.Join(o.disk.point, "filler")
			if err := fill(filler); err != nil {
				return allowance{}, err
			}
			alarmed, err := o.awaitHealth(ctx, http.StatusServiceUnavailable, alarmsWithin)
			if err != nil {
				return allowance{}, err
			}
			err = o.pause(ctx, o.between(time.Second, 3*time.Second))
			// It reads on, though it can't store.
			if err := errors.Join(err, o.server.AwaitRead(ctx), os.Remove(filler)); err != nil {
				return allowance{}, err
			}
			o.healed()
			healthy, err := o.awaitHealth(ctx, http.StatusOK, healsWithin)
			suite.table.measure(func(m *measured) { m.alarm, m.space = max(m.alarm, alarmed), max(m.space, healthy) })
			return allowance{}, err
		},
	}.run(t)
}

// fill writes a file until no byte more fits.
func fill(path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for size := 1 << 20; size > 0; {
		_, err := file.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 2
		case err != nil:
			return err
		}
	}
	if err := file.Sync(); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}

// awaitHealth waits until /healthz answers with that status, and returns how long that
// took.
func (o *office) awaitHealth(ctx context.Context, wanted int, within time.Duration) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("it took more than %s", within))
	defer cancel()
	began := time.Now()
	for {
		status, err := o.daemon.Health(ctx)
		if err == nil && status == wanted {
			return time.Since(began), nil
		}
		if pauseErr := o.pause(ctx, 10*time.Millisecond); pauseErr != nil {
			return 0, fmt.Errorf("/healthz says %d and not %d: %w", status, wanted, errors.Join(pauseErr, err))
		}
	}
}
