package delivery

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

var gatePauses = pauses{first: 500 * time.Millisecond, longest: 30 * time.Second}

// down is how a request fails at a CRM that can't be reached, slow how one does that
// may succeed for another call.
var (
	down = bridge.Result{Verdict: bridge.Retry, Reason: "refused", Everybody: true}
	slow = bridge.Result{Verdict: bridge.Retry, Reason: "no answer in time"}
)

// wave makes as many requests as the gate admits and returns how many those were.
func wave(g *gate, now time.Time) (made int) {
	for g.admits(now) {
		g.enter()
		made++
	}
	return made
}

func TestAnOutageCostsOneProbeAtATimeForever(t *testing.T) {
	g, now := newGate(16, gatePauses), time.Now()
	if made := wave(&g, now); made != 16 {
		t.Fatalf("%d requests at once, want 16", made)
	}
	for i := range 16 {
		g.failed(now, bridge.CallID(fmt.Sprint(i)), down)
	}
	var probes int
	for end := now.Add(30 * time.Minute); now.Before(end); {
		if g.admits(now) {
			t.Fatal("somebody passes before the pause is over")
		}
		if pause := g.until.Sub(now); pause > gatePauses.longest {
			t.Fatalf("a pause of %v", pause)
		}
		now = g.until
		if made := wave(&g, now); made != 1 {
			t.Fatalf("%d probes at once", made)
		}
		probes++
		g.failed(now, "other", down)
	}
	// Pauses of 15 to 30 seconds, and a few short ones at the beginning.
	if probes < 60 || probes > 130 {
		t.Errorf("%d probes in half an hour", probes)
	}
}

func TestTheGateOpensGradually(t *testing.T) {
	g, now := newGate(16, gatePauses), time.Now()
	g.enter()
	g.failed(now, "a", down)
	now = g.until
	var waves []int
	for g.state != gateOpen {
		made := wave(&g, now)
		waves = append(waves, made)
		for range made {
			g.passed(now)
		}
	}
	if got, want := fmt.Sprint(waves), "[1 2 4 8]"; got != want {
		t.Errorf("requests at once: %s, want %s", got, want)
	}
	if made := wave(&g, now); made != 16 {
		t.Errorf("open: %d at once, want 16", made)
	}
}

func TestOneCallThatFailsDoesNotShutTheGate(t *testing.T) {
	g, now := newGate(4, gatePauses), time.Now()
	for range 100 {
		g.enter()
		g.failed(now, "bad", slow)
	}
	if g.state != gateOpen {
		t.Errorf("the gate is %s", g.state)
	}
	for i := range shutAfter {
		g.enter()
		g.failed(now, bridge.CallID(fmt.Sprint(i)), slow)
	}
	if g.state != gateShut {
		t.Errorf("the gate is %s although nobody gets through", g.state)
	}
}

func TestThePauseThatTheCRMAsksForIsEverybodys(t *testing.T) {
	g, now := newGate(4, gatePauses), time.Now()
	g.enter()
	g.enter()
	g.failed(now, "a", bridge.Result{Verdict: bridge.Retry, RetryAfter: time.Minute})
	g.failed(now, "b", bridge.Result{Verdict: bridge.Retry, RetryAfter: 2 * time.Minute})
	if g.admits(now.Add(2*time.Minute - 1)) {
		t.Error("somebody passes before the longer of two pauses is over")
	}
	if !g.admits(now.Add(2 * time.Minute)) {
		t.Error("nobody passes after it")
	}
}

// A CRM that limits the rate refuses one request and takes those beside it.
func TestThePauseThatTheCRMAsksForOutlastsWhatWasUnderWay(t *testing.T) {
	g, now := newGate(4, gatePauses), time.Now()
	wave(&g, now)
	g.failed(now, "a", bridge.Result{Verdict: bridge.Retry, RetryAfter: time.Minute})
	for range 3 {
		g.passed(now)
	}
	if g.admits(now.Add(time.Minute - 1)) {
		t.Errorf("somebody passes before the pause is over; the gate is %s", g.state)
	}
	if now = now.Add(time.Minute); wave(&g, now) != 1 {
		t.Errorf("after the pause not one request alone is made; the gate is %s", g.state)
	}
	g.passed(now)
	if g.state != gateOpening {
		t.Errorf("the gate is %s after a request that got through", g.state)
	}
}

// Whatever happens, the gate counts right, admits no more than it may, and lets
// everybody pass once the CRM takes what it is sent.
func TestTheGateNeverStaysShut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 20).Draw(t, "connections")
		g, now, under := newGate(most, gatePauses), time.Now(), 0
		leave := map[string]func(){
			"passes":       func() { g.passed(now) },
			"breaks off":   func() { g.leave() },
			"fails":        func() { g.failed(now, bridge.CallID(rapid.StringMatching("[ab]").Draw(t, "call")), slow) },
			"finds nobody": func() { g.failed(now, "c", down) },
		}
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"begins", "begins", "waits", "passes", "breaks off", "fails", "finds nobody"}), 1, 200).Draw(t, "steps") {
			switch {
			case step == "waits":
				now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute}).Draw(t, "pause"))
			case step == "begins" && g.admits(now):
				g.enter()
				under++
			case step != "begins" && under > 0:
				leave[step]()
				under--
			}
			if g.inFlight != under || under > most {
				t.Fatalf("%d under way of %d at most, counted %d", under, most, g.inFlight)
			}
		}
		for ; under > 0; under-- {
			g.leave()
		}
		now = now.Add(gatePauses.longest)
		for range 2 * most {
			if !g.admits(now) {
				t.Fatalf("nobody passes: %+v", g)
			}
			g.enter()
			g.passed(now)
		}
		if g.state != gateOpen {
			t.Errorf("the gate is %s after %d requests that got through", g.state, 2*most)
		}
	})
}
