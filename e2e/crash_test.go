package e2e_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

var crashSeed = flag.Uint64("crash-seed", 0, "seed of the moments when kontur-ari is killed; 0 takes a new one")

// The times of a call during which kontur-ari is killed at some moment.
const (
	untilRinging  = 60 * time.Millisecond
	untilAnswered = 150 * time.Millisecond
	untilHangup   = 400 * time.Millisecond
)

// moments returns the source of a test's random moments, and logs its seed.
func moments(t *testing.T) *rand.Rand {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("moments chosen with -crash-seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// A daemon that is killed and started again during a call reports the same as one that
// runs throughout.
func TestAKilledDaemonReportsTheSame(t *testing.T) {
	random := moments(t)
	for i := range 20 {
		moment := time.Duration(random.Int64N(int64(untilHangup)))
		inbound := i%2 == 0
		t.Run(fmt.Sprintf("%02d", i), func(t *testing.T) {
			t.Logf("killed %s after the call began", moment)
			d := newDeployment(t)
			back := d.crashAfter(moment)
			if inbound {
				d.slowInbound(back)
				d.expect(answeredLeg(direct, "client>101"))
			} else {
				d.slowOutbound(back)
				d.expect(answeredLeg(outgoing, "101>client"))
			}
		})
	}
}

// afterHangup is the time in which a daemon receives the end of a call and reports it.
const afterHangup = 40 * time.Millisecond

// A daemon is killed while it receives the end of a call or reports it. The next daemon
// reports the rest.
func TestADaemonKilledAtTheEndReportsTheSame(t *testing.T) {
	random := moments(t)
	for i := range 10 {
		moment := time.Duration(random.Int64N(int64(afterHangup)))
		t.Run(fmt.Sprintf("%02d", i), func(t *testing.T) {
			t.Logf("killed %s after the call ended", moment)
			d := newDeployment(t)
			caller := d.comesIn("78005550101")
			callee := d.rings("101")
			d.picksUp(callee, caller)
			d.awaitReport("L1 connected")
			d.must(caller.Hangup(d.ctx))
			d.must(d.crashAfter(moment)())
			d.ends(callee)
			d.expect(answeredLeg(direct, "client>101"))
		})
	}
}

// crashAfter kills the daemon after that time and starts it again at once. The returned
// function waits until it is ready again. The daemon repeats one request where it dies
// after the CRM's answer and before storing it.
func (d *deployment) crashAfter(moment time.Duration) (back func() error) {
	d.repeats++
	var group errgroup.Group
	group.Go(func() error {
		if err := d.pause(moment); err != nil {
			return err
		}
		if err := d.daemon.Kill(); err != nil {
			return err
		}
		return d.daemon.Start(d.ctx)
	})
	d.Cleanup(func() { _ = group.Wait() })
	return group.Wait
}

// pause waits as long as people take for something.
func (s *stage) pause(duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// slowInbound is an answered call with a pause before each step. The caller hangs up when
// the daemon is back.
func (d *deployment) slowInbound(back func() error) {
	caller := d.comesIn("78005550101")
	callee := d.called("101")
	d.must(d.pause(untilRinging))
	d.must(callee.Ring())
	d.must(d.pause(untilAnswered - untilRinging))
	d.picksUp(callee, caller)
	d.must(d.pause(untilHangup - untilAnswered))
	d.must(back())
	d.hangsUp(caller, callee)
}

func (d *deployment) slowOutbound(back func() error) {
	caller := d.dials("101", d.client)
	callee := d.reachesTrunk(d.client)
	d.must(d.pause(untilRinging))
	d.must(callee.Ring())
	d.must(d.pause(untilAnswered - untilRinging))
	d.picksUp(callee, caller)
	d.must(d.pause(untilHangup - untilAnswered))
	d.must(back())
	d.hangsUp(caller, callee)
}

// A call ends while no daemon runs. The next daemon reports it to its end.
func TestACallThatEndsWithoutADaemonIsReportedToItsEnd(t *testing.T) {
	d := newDeployment(t)
	caller := d.comesIn("78005550101")
	callee := d.rings("101")
	d.picksUp(callee, caller)
	d.awaitReport("L1 connected")
	d.repeats++
	d.must(d.daemon.Kill())
	d.hangsUp(caller, callee)
	d.must(d.daemon.Start(d.ctx))
	d.expect(answeredLeg(direct, "client>101"))
}

// An orderly stop of the daemon in mid-call does not end the call either.
func TestAStoppedDaemonGoesOnWithTheCall(t *testing.T) {
	d := newDeployment(t)
	caller := d.comesIn("78005550101")
	callee := d.rings("101")
	d.picksUp(callee, caller)
	d.awaitReport("L1 connected")
	code, err := d.daemon.Terminate(d.ctx)
	d.must(err)
	if code != 0 {
		t.Errorf("kontur-ari ended with code %d", code)
	}
	d.must(d.daemon.Start(d.ctx))
	d.hangsUp(callee, caller)
	d.expect(answeredLeg(direct, "client>101"))
}
