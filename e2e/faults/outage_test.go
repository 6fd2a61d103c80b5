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

// fastClock is how much faster the daemon's delivery goes than it does by default: with
// all of its times so much shorter, 30 s are an outage of 30 minutes.
const fastClock = 60

// fast is a duration of the configuration's defaults on the fast clock.
func fast(standard time.Duration) string { return (standard / fastClock).String() }

// A CRM that can't be reached for half an hour is told all afterwards, however much
// there is; the daemon, which may die meanwhile, asks for it seldom and needs little
// memory.
func TestAnOutageLosesNothing(t *testing.T) {
	pending, lasts := 3000, 3*time.Second
	if *full {
		pending, lasts = 100_000, 30*time.Second
	}
	fault{
		name: fmt.Sprintf("outage of %d min, %d reports pending", int((lasts * fastClock).Minutes()), pending), full: 1, short: 1, parts: 1, repeats: "one a call and death",
		configure: func(config *lab.DaemonConfig) {
			// What began within four of it before the death is doubted, and told in full.
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

// telephone has people telephone for so long.
func (o *office) telephone(ctx context.Context, lasts time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	return o.traffic.goOn(ctx, perSecond)
}

// outage lets reports gather until so many wait, and then the time pass, with a death
// of the daemon in the middle.
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

// gather has people telephone as much as the daemon takes until so many reports wait.
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

// memory is how much of it the daemon uses.
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
	return 0, fmt.Errorf("the memory of process %d is not told", o.daemon.Process())
}
