package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/internal/retry"
)

func TestPausesDoubleUpToTheLongestAndLieInTheUpperHalf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(time.Minute)).Draw(t, "first"))
		longest := first * time.Duration(rapid.Int64Range(1, 500).Draw(t, "factor"))
		failures := rapid.IntRange(-1, 1000).Draw(t, "failures")
		interval := first
		for n := 1; n < failures && interval < longest; n++ {
			interval *= 2
		}
		interval = min(interval, longest)
		pause := retry.Pauses{First: first, Longest: longest}.After(failures)
		if pause < interval/2-time.Microsecond || pause > interval {
			t.Fatalf("after %d failures a pause of %v, want one between %v and %v", failures, pause, interval/2, interval)
		}
	})
}

func TestABackoffDoublesAndNeverPausesForLessThanTheFirst(t *testing.T) {
	const first, longest = 300 * time.Millisecond, 10 * time.Second
	b := retry.New(retry.Pauses{First: first, Longest: longest})
	for range 2 {
		if pause := b.Next(); pause != first {
			t.Errorf("the first pause is %v", pause)
		}
		interval := first
		for n := range 100 {
			interval = min(2*interval, longest)
			pause := b.Next()
			if pause < max(first, interval/2-time.Microsecond) || pause > interval {
				t.Errorf("pause %d is %v, want one between half of %v and that", n+2, pause, interval)
			}
		}
		b.Reset()
	}
}

func TestSleepReturnsTheCauseOfAContextThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := retry.Sleep(t.Context(), time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("slept for %v: %v", time.Since(began), err)
		}
		reason := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		if err := retry.Sleep(ctx, time.Hour); !errors.Is(err, reason) {
			t.Errorf("a cancelled sleep returned %v", err)
		}
	})
}
