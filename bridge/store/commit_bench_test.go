package store_test

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"

	"kontur-ari/bridge"
)

// BenchmarkCommit makes events durable, each with its changed call and every other one
// with a report: one at a time, and by 64 goroutines that share transactions. With
// TMPDIR in memory it shows what a commit costs beside the disk.
func BenchmarkCommit(b *testing.B) {
	raw, state := bytes.Repeat([]byte("x"), 700), bytes.Repeat([]byte("y"), 400)
	var n atomic.Int64
	next := func() bridge.Batch {
		i := n.Add(1)
		call := bridge.CallID(fmt.Sprintf("1795436993.%d", i/7))
		event := bridge.Event{Type: bridge.EventDial, Time: moment, Raw: raw, Peer: &bridge.Channel{ID: bridge.ChannelID(call)}}
		batch := bridge.Batch{
			Events:  []bridge.Entry{{Event: event, Received: moment, Call: call}},
			Changed: []bridge.CallState{{Call: call, State: state}},
		}
		if i%2 == 0 {
			batch.Reports = []bridge.Report{report(call, bridge.ReportStarted)}
		}
		return batch
	}
	b.Run("alone", func(b *testing.B) {
		s := open(b, b.TempDir())
		b.ReportAllocs()
		for b.Loop() {
			commit(b, s, next())
		}
	})
	b.Run("64 at once", func(b *testing.B) {
		s := open(b, b.TempDir())
		b.ReportAllocs()
		b.SetParallelism(64 / 2)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				commit(b, s, next())
			}
		})
	})
}
