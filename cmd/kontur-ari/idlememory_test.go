package main

import (
	"context"
	"runtime"
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
		go func() { defer close(done); giveBackMemory(ctx) }()
		time.Sleep(3 * giveBackEvery)
		cancel()
		<-done
		if idle := readMemory().idle; idle > burst/4 {
			t.Errorf("%d bytes lie idle after a burst of %d", idle, burst)
		}
	})
}
