package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// giveBackEvery is the pause between two looks at how much memory lies idle.
	giveBackEvery = 2 * time.Second
	// idleKept is how much may; quiet is how much is allocated at most between two looks
	// when nothing goes on that will want it again at once.
	idleKept = 2 << 20
	quiet    = 2 << 20
)

// How much garbage may come together, in percent of what is in use, where the environment
// (GOGC) does not say: four times what Go has by default, since little is in use (8 MB of
// a busy process), and the collector would take an eighth of its time. While the CRM can't be told
// there is no hurry, and memory is what an outage must not take.
const (
	garbagePercent        = 400
	garbagePercentWaiting = 100
)

// collector sets how often garbage is collected.
type collector struct{ percent int }

func (c *collector) adapt(delivering bool) {
	percent := garbagePercentWaiting
	if delivering {
		percent = garbagePercent
	}
	if percent == c.percent || os.Getenv("GOGC") != "" {
		return
	}
	c.percent = percent
	debug.SetGCPercent(percent)
}

// giveBackMemory returns to the system what a burst has left behind, once it is over:
// Asterisk on the same host may want it, and the Go runtime alone takes minutes.
// delivering tells whether the CRM takes what it is told. It returns when ctx ends.
func giveBackMemory(ctx context.Context, delivering func() bool) {
	var garbage collector
	ticker := time.NewTicker(giveBackEvery)
	defer ticker.Stop()
	// left is what lay idle after it was given back last: it lies between what is in use.
	var allocated, left uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		garbage.adapt(delivering())
		usage := readMemory()
		left = min(left, usage.idle)
		if usage.idle > left+idleKept && usage.allocated-allocated < quiet {
			debug.FreeOSMemory()
			left = readMemory().idle
		}
		allocated = usage.allocated
	}
}

// memory is what the runtime has allocated since the start, and the bytes that it holds
// and needs for nothing, as garbage not yet collected or free.
type memory struct{ allocated, idle uint64 }

func readMemory() memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	held := samples[2].Value.Uint64() + samples[3].Value.Uint64() + samples[4].Value.Uint64()
	return memory{allocated: samples[0].Value.Uint64(), idle: held - min(held, samples[1].Value.Uint64())}
}
