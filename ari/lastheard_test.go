package ari_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
)

func TestASnapshotSaysSinceWhenAsteriskWasNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		before := time.Now().Add(-12 * time.Hour)
		r := startWith(t, configFor(server), ari.SourceConfig{LastHeard: before})
		pass(time.Hour)
		lost := time.Now()
		server.Refuse(http.StatusServiceUnavailable)
		server.Drop()
		pass(10 * time.Minute)
		server.Refuse(0)
		pass(time.Minute)

		var since []time.Time
		for _, event := range r.got() {
			if event.Type == bridge.EventSnapshot {
				since = append(since, event.Snapshot.MissedSince)
			}
		}
		if len(since) != 2 {
			t.Fatalf("%d snapshots, want 2", len(since))
		}
		if !since[0].Equal(before) {
			t.Errorf("the first snapshot misses what came since %v, want %v", since[0], before)
		}
		if late := lost.Sub(since[1]); late < 0 || late > 5*time.Second {
			t.Errorf("the second snapshot misses what came since %v, the connection was lost at %v", since[1], lost)
		}
		if last := r.source.LastHeard(); time.Since(last) > 5*time.Second {
			t.Errorf("heard last at %v, now it is %v", last, time.Now())
		}
	})
}
