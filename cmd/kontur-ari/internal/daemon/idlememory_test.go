package daemon

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatABurstLeavesIsGivenBack(t *testing.T) {
	const burst = 64 << 20
	synctest.Test(t, func(t *testing.T) {
		garbage := make([]byte, burst)
		for i := 0; i < len(garbage); i += 4096 {
			garbage[i] = 1
		}
		before := readMemory().allocated
		runtime.KeepAlive(garbage)
		if before < burst {
			t.Fatalf("%d bytes were allocated", before)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); returnMemory(ctx, func() bool { return true }) }()
		time.Sleep(3 * giveBackEvery)
		cancel()
		<-done
		if idle := readMemory().idle; idle > burst/4 {
			t.Errorf("%d bytes lie idle after a burst of %d", idle, burst)
		}
	})
}

// Giving back collects all garbage, which is not done again for what can't be had: here
// one of many small pieces of each page is in use.
func TestWhatCannotBeGivenBackIsLeftAlone(t *testing.T) {
	pieces := make([][]byte, 1<<17)
	for i := range pieces {
		pieces[i] = make([]byte, 256)
	}
	used := make([][]byte, 0, len(pieces)/16)
	for i := 0; i < len(pieces); i += 16 {
		used = append(used, pieces[i])
	}
	clear(pieces)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); returnMemory(ctx, func() bool { return true }) }()
		time.Sleep(5 * giveBackEvery)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		time.Sleep(100 * giveBackEvery)
		runtime.ReadMemStats(&after)
		cancel()
		<-done
		if idle := readMemory().idle; idle < 2*idleKept {
			t.Fatalf("only %d bytes lie idle", idle)
		}
		if forced := after.NumForcedGC - before.NumForcedGC; forced > 5 {
			t.Errorf("garbage was collected %d times while nothing went on", forced)
		}
	})
	runtime.KeepAlive(used)
}

// While the CRM can't be reached, garbage is collected earlier.
func TestGarbageIsCollectedSoonerWhileReportsWait(t *testing.T) {
	before := debug.SetGCPercent(50)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	percent := func() int {
		now := debug.SetGCPercent(50)
		debug.SetGCPercent(now)
		return now
	}
	t.Setenv("GOGC", "")
	var c collector
	for _, step := range []struct {
		delivering bool
		want       int
	}{{true, garbagePercent}, {false, garbagePercentWaiting}, {true, garbagePercent}} {
		if c.adapt(step.delivering); percent() != step.want {
			t.Errorf("delivering %t: %d %%, want %d", step.delivering, percent(), step.want)
		}
	}
	t.Setenv("GOGC", "70")
	debug.SetGCPercent(70)
	if c.adapt(false); percent() != 70 {
		t.Errorf("the environment's 70 %% became %d", percent())
	}
}
