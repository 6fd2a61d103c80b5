package faults_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"kontur-ari/e2e/lab"
)

// fastClock divides all default times of the daemon's delivery. So an outage of 30 s
// stands for one of 30 minutes.
const fastClock = 60

// fast converts a default duration of the configuration to the fast clock.
func fast(standard time.Duration) string { return (standard / fastClock).String() }

// A CRM that can't be reached for half an hour receives every report afterwards. During
// the outage the daemon rarely tries to reach it and needs little memory. A death of the
// daemon in the middle changes nothing.
func TestAnOutageLosesNothing(t *testing.T) {
	pending, lasts := 3000, 3*time.Second
	if *full {
		pending, lasts = 100_000, 30*time.Second
	}
	fault{
		name: fmt.Sprintf("outage of %d min, %d reports pending", int((lasts * fastClock).Minutes()), pending), full: 1, short: 1, parts: 1, repeats: "one a call and death",
		configure: func(config *lab.DaemonConfig) {
			// After a death the daemon assumes that the CRM may have the call-started of
			// recent calls, and sends all their reports. Recent means collapse_after
			// and four request timeouts before the death.
			config.RequestTimeout, config.LogLevel = impatience, "warn"
			config.Delivery = map[string]string{
				"first_pause": fast(500 * time.Millisecond), "longest_pause": fast(30 * time.Second), "collapse_after": fast(10 * time.Second),
			}
		},
		alone: true, collapses: true, patience: 10 * time.Minute,
		strike: func(ctx context.Context, o *office, _ int) (allowance, error) {
			if err := o.telephone(ctx, 2*time.Second); err != nil {
				return allowance{}, err
			}
			o.crm.SetDown(true)
			err := o.outage(ctx, pending, lasts)
			o.healed()
			o.crm.SetDown(false)
			return allowance{crashes: true}, err
		},
	}.run(t)
}

// telephone plays calls for a while.
func (o *office) telephone(ctx context.Context, lasts time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	return o.traffic.goOn(ctx, perSecond)
}

// outage plays calls until enough reports are pending. Then it lets the outage last, and
// kills and restarts the daemon in the middle.
func (o *office) outage(ctx context.Context, pending int, lasts time.Duration) error {
	if err := o.gather(ctx, pending); err != nil {
		return err
	}
	memory, err := o.memory()
	if err != nil {
		return err
	}
	before := len(o.crm.Requests())
	if err := o.pause(ctx, lasts/2); err != nil {
		return err
	}
	if err := o.daemon.Kill(); err != nil {
		return err
	}
	o.judge.cuts()
	asked, began := len(o.crm.Requests()), time.Now()
	if err := o.daemon.Start(ctx); err != nil {
		return err
	}
	for len(o.crm.Requests()) == asked {
		if err := o.pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("the CRM is not asked after the restart: %w", err)
		}
	}
	first := o.crm.Requests()[asked].Received.Sub(began)
	if err := o.pause(ctx, lasts/2-time.Since(began)); err != nil {
		return err
	}
	suite.table.measure(func(m *measured) {
		m.pending, m.memory, m.firstProbe = pending, memory, first
		m.outage, m.probes = lasts*fastClock, len(o.crm.Requests())-before
	})
	return nil
}

// gather plays calls as fast as the daemon reads events, until enough reports are pending.
func (o *office) gather(ctx context.Context, pending int) error {
	o.traffic.atOnce = 4 * atOnce
	for {
		if err := o.traffic.rush(ctx, pending/100); err != nil {
			return err
		}
		if err := o.server.AwaitRead(ctx); err != nil {
			return err
		}
		var details struct{ Reports, Delivered int }
		if err := o.daemon.Details(ctx, &details); err != nil {
			return err
		}
		if details.Reports-details.Delivered >= pending {
			break
		}
	}
	return o.traffic.finish(ctx, atTheEnd)
}

// memory returns the resident memory of the daemon.
func (o *office) memory() (bytes int, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.daemon.Process()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("the status of process %d has no VmRSS", o.daemon.Process())
}
