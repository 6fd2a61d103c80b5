package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A daemon must say that it can't store within a second, and store again five seconds
// after there is space. These limits leave room for a busy machine; how much time was
// needed is in the table.
const (
	alarmsWithin = 3 * time.Second
	healsWithin  = 15 * time.Second
	// failsWithin: SQLite has room of its own on a full disk, for some seconds.
	failsWithin = 30 * time.Second
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
			logged := len(o.daemon.Log())
			if _, err := o.awaitHealth(ctx, http.StatusServiceUnavailable, failsWithin); err != nil {
				return allowance{}, err
			}
			alarmed := o.failingSince(logged)
			if alarmed > alarmsWithin {
				return allowance{}, fmt.Errorf("/healthz alarmed %s after events could not be stored", alarmed)
			}
			err := o.pause(ctx, o.between(time.Second, 3*time.Second))
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

// failingSince is for how long the daemon has not been able to store events, as its log
// says behind a place; 0 where it has not tried yet.
func (o *office) failingSince(logged int) time.Duration {
	for line := range strings.Lines(o.daemon.Log()[logged:]) {
		var entry struct {
			At      time.Time `json:"ts"`
			Message string    `json:"msg"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && strings.HasPrefix(entry.Message, "events can't be stored") {
			return time.Since(entry.At)
		}
	}
	return 0
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
