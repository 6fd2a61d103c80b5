package daemon

import (
	"bytes"
	"path/filepath"
	"runtime"
	"testing"

	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/tracker"
	"kontur-ari/cmd/kontur-ari/internal/setup"
)

// The memory that events are counted with is close to what they take.
func TestTheBoundOfMemoryIsHonest(t *testing.T) {
	paths, err := filepath.Glob("../../../../e2e/testdata/captures/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var raw [][]byte
	for _, path := range paths {
		events, err := aritest.ReadEvents(path)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, events...)
	}
	directory, err := setup.Directory(benchConfig())
	if err != nil {
		t.Fatal(err)
	}
	// It does not run, so that everything stays where it is put.
	taker := intake.New(tracker.New(directory, tracker.Policy{}), nil, nil, zap.NewNop())
	const events = 5_000
	before := heap()
	for put := 0; put < events; {
		for _, text := range raw {
			if event, err := ari.Decode(bytes.Clone(text)); err == nil {
				taker.Put(event)
				put++
			}
		}
	}
	took := heap() - before
	stats := taker.Stats()
	if stats.Dropping {
		t.Fatalf("%d events do not fit: %d bytes each", stats.Waiting, stats.Memory/int64(stats.Waiting))
	}
	if ratio := float64(stats.Memory) / float64(took); ratio < 0.75 || ratio > 1.5 {
		t.Errorf("%d events take %d bytes and are reckoned to take %d, %.2f of that", stats.Waiting, took, stats.Memory, ratio)
	}
	t.Logf("%d events, %d bytes each, reckoned as %d", stats.Waiting, took/int64(stats.Waiting), stats.Memory/int64(stats.Waiting))
	runtime.KeepAlive(taker)
	runtime.KeepAlive(raw)
}

// heap returns the bytes in use after all garbage was collected.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
