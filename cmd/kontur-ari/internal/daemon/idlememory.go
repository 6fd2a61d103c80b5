package daemon

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// giveBackEvery is the pause between two measurements of idle memory.
	giveBackEvery = 2 * time.Second
	// idleKept bytes may stay idle. Fewer than quiet bytes allocated between two
	// measurements mean that the burst is over.
	idleKept = 2 << 20
	quiet    = 2 << 20
)

// These replace Go's GOGC of 100, unless the environment sets it. A busy process has only
// 8 MB in use, and at 100 the collector would take an eighth of its time. During an outage
// of the CRM memory matters more than time.
const (
	garbagePercent        = 400
	garbagePercentWaiting = 100
)

// collector adapts how often garbage is collected.
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

// returnMemory returns to the system what a burst left behind, once it is over. Asterisk
// on the same host may need it, and the Go runtime alone takes minutes. delivering is
// whether the CRM can be reached. It returns when ctx ends.
func returnMemory(ctx context.Context, delivering func() bool) {
	var garbage collector
	ticker := time.NewTicker(giveBackEvery)
	defer ticker.Stop()
	// left stayed idle after the last return: it lies between memory in use.
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

// memory is the bytes allocated since the start, and those that are held without use:
// free, or garbage not yet collected.
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
