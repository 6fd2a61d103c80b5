package breaker_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/internal/breaker"
	"kontur-ari/internal/retry"
)

var pauses = retry.Pauses{First: 500 * time.Millisecond, Longest: 30 * time.Second}

// newBreaker returns a breaker that lets load return step by step.
func newBreaker(most int) *breaker.Breaker {
	return breaker.New(breaker.Settings{
		MaxInFlight: most, OpenAfter: 5, ReopenAfter: 2, CloseAfter: max(1, most-1), Pause: pauses.After,
	})
}

// down is the failure of a service that can't be reached.
func down(key string) breaker.Failure { return breaker.Failure{Key: key, Everybody: true} }

// wave begins as many requests as the breaker allows and returns their number.
func wave(b *breaker.Breaker, now time.Time) (made int) {
	for b.Allows(now) {
		b.Begin()
		made++
	}
	return made
}

func TestAnOutageCostsOneProbeAtATimeForever(t *testing.T) {
	b, now := newBreaker(16), time.Now()
	if made := wave(b, now); made != 16 {
		t.Fatalf("%d requests at once, want 16", made)
	}
	for i := range 16 {
		b.Failed(now, down(fmt.Sprint(i)))
	}
	var probes int
	for end := now.Add(30 * time.Minute); now.Before(end); {
		if b.Allows(now) {
			t.Fatal("a request is allowed before the pause is over")
		}
		if pause := b.ProbeAt().Sub(now); pause > pauses.Longest {
			t.Fatalf("a pause of %v", pause)
		}
		now = b.ProbeAt()
		if made := wave(b, now); made != 1 {
			t.Fatalf("%d probes at once", made)
		}
		probes++
		b.Failed(now, down("other"))
	}
	// Pauses of 15 to 30 seconds, and a few short ones at the beginning.
	if probes < 60 || probes > 130 {
		t.Errorf("%d probes in half an hour", probes)
	}
}

func TestLoadReturnsGradually(t *testing.T) {
	b, now := newBreaker(16), time.Now()
	b.Begin()
	b.Failed(now, down("a"))
	now = b.ProbeAt()
	var waves []int
	for b.State() != breaker.Closed {
		made := wave(b, now)
		waves = append(waves, made)
		for range made {
			b.Succeeded(now)
		}
	}
	if got, want := fmt.Sprint(waves), "[1 2 4 8]"; got != want {
		t.Errorf("requests at once: %s, want %s", got, want)
	}
	if made := wave(b, now); made != 16 {
		t.Errorf("closed: %d at once, want 16", made)
	}
}

func TestOneSuccessClosesWhereThatIsEnough(t *testing.T) {
	b := breaker.New(breaker.Settings{
		MaxInFlight: 100, OpenAfter: 5, ReopenAfter: 1, CloseAfter: 1, Pause: func(int) time.Duration { return 10 * time.Second },
	})
	now := time.Now()
	for n := range 5 {
		if b.State() != breaker.Closed {
			t.Fatalf("%s after %d failures", b.State(), n)
		}
		b.Begin()
		b.Failed(now, breaker.Failure{})
	}
	if b.State() != breaker.Open || b.Allows(now.Add(10*time.Second-1)) {
		t.Fatalf("%s after five failures without a key", b.State())
	}
	if now = now.Add(10 * time.Second); wave(b, now) != 1 {
		t.Fatal("not one probe alone after the pause")
	}
	b.Succeeded(now)
	if b.State() != breaker.Closed || wave(b, now) != 100 {
		t.Errorf("%s after the probe succeeded", b.State())
	}
}

func TestOneKeyThatFailsDoesNotOpen(t *testing.T) {
	b, now := newBreaker(4), time.Now()
	for range 100 {
		b.Begin()
		b.Failed(now, breaker.Failure{Key: "bad"})
	}
	if b.State() != breaker.Closed {
		t.Errorf("the breaker is %s", b.State())
	}
	for i := range 5 {
		b.Begin()
		b.Failed(now, breaker.Failure{Key: fmt.Sprint(i)})
	}
	if b.State() != breaker.Open {
		t.Errorf("the breaker is %s although every key fails", b.State())
	}
}

func TestThePauseThatTheServiceAsksForIsEverybodys(t *testing.T) {
	b, now := newBreaker(4), time.Now()
	b.Begin()
	b.Begin()
	b.Failed(now, breaker.Failure{Key: "a", RetryAfter: time.Minute})
	b.Failed(now, breaker.Failure{Key: "b", RetryAfter: 2 * time.Minute})
	if b.Allows(now.Add(2*time.Minute - 1)) {
		t.Error("a request is allowed before the longer of two pauses is over")
	}
	if !b.Allows(now.Add(2 * time.Minute)) {
		t.Error("no request is allowed after it")
	}
}

// A service that limits the rate refuses one request and takes those beside it.
func TestThePauseThatTheServiceAsksForOutlastsWhatWasInFlight(t *testing.T) {
	b, now := newBreaker(4), time.Now()
	wave(b, now)
	b.Failed(now, breaker.Failure{Key: "a", RetryAfter: time.Minute})
	for range 3 {
		b.Succeeded(now)
	}
	if b.Allows(now.Add(time.Minute - 1)) {
		t.Errorf("a request is allowed before the pause is over; the breaker is %s", b.State())
	}
	if now = now.Add(time.Minute); wave(b, now) != 1 {
		t.Errorf("after the pause not one request alone is made; the breaker is %s", b.State())
	}
	b.Succeeded(now)
	if b.State() != breaker.HalfOpen {
		t.Errorf("the breaker is %s after a success", b.State())
	}
}

// Whatever happens, the breaker counts right, allows no more than it may, and closes
// once the service answers.
func TestTheBreakerNeverStaysOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 20).Draw(t, "connections")
		b, now, begun := newBreaker(most), time.Now(), 0
		end := map[string]func(){
			"succeeds":      func() { b.Succeeded(now) },
			"abandoned":     func() { b.Abandoned() },
			"fails":         func() { b.Failed(now, breaker.Failure{Key: rapid.StringMatching("[ab]").Draw(t, "key")}) },
			"finds it down": func() { b.Failed(now, down("c")) },
		}
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"begins", "begins", "waits", "succeeds", "abandoned", "fails", "finds it down"}), 1, 200).Draw(t, "steps") {
			switch {
			case step == "waits":
				now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute}).Draw(t, "pause"))
			case step == "begins" && b.Allows(now):
				b.Begin()
				begun++
			case step != "begins" && begun > 0:
				end[step]()
				begun--
			}
			if b.InFlight() != begun || begun > most {
				t.Fatalf("%d in flight of %d at most, counted %d", begun, most, b.InFlight())
			}
		}
		for ; begun > 0; begun-- {
			b.Abandoned()
		}
		now = now.Add(pauses.Longest)
		for range 2 * most {
			if !b.Allows(now) {
				t.Fatalf("no request is allowed: %+v", b)
			}
			b.Begin()
			b.Succeeded(now)
		}
		if b.State() != breaker.Closed {
			t.Errorf("the breaker is %s after %d successes", b.State(), 2*most)
		}
	})
}
