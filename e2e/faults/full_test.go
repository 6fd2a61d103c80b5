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

// The daemon should report a full disk within a second, and store again within five
// seconds of there being space. These limits leave room for a busy machine. The measured
// times stand below the table.
const (
	alarmsWithin = 3 * time.Second
	healsWithin  = 15 * time.Second
	// failsWithin is longer: SQLite has room of its own on a full disk, for some seconds.
	failsWithin = 30 * time.Second
)

// A daemon whose disk is full stays up, reads Asterisk's events and reports the fault in
// /healthz. It loses nothing once there is space again.
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
			// The daemon reads events although it can't store them.
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

// failingSince returns how long the daemon has failed to store events. It reads the log
// from offset logged on, and returns 0 if the log has no such failure yet.
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
