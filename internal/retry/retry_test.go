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

func TestABackoffNeverPausesForLessThanTheFirst(t *testing.T) {
	b := retry.New(retry.Pauses{First: 300 * time.Millisecond, Longest: 10 * time.Second})
	for range 2 {
		if pause := b.Next(); pause != 300*time.Millisecond {
			t.Errorf("the first pause is %v", pause)
		}
		for range 100 {
			if pause := b.Next(); pause < 300*time.Millisecond || pause > 10*time.Second {
				t.Errorf("a later pause is %v", pause)
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
