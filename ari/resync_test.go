package ari_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
)

// snapshots are those among the events so far.
func (r *running) snapshots() (found []bridge.Event) {
	for _, event := range r.got() {
		if event.Type == bridge.EventSnapshot {
			found = append(found, event)
		}
	}
	return found
}

func TestASnapshotThatIsAskedForComesBeforeTheEventsSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Minute)
		server.Emit(created(1))
		synctest.Wait()
		server.Slow("GET /channels", 2*time.Second)
		missed := time.Now()
		r.source.Missed(missed)
		if heard := r.source.LastHeard(); heard.After(missed) {
			t.Errorf("heard last at %v, and from %v on all is lost", heard, missed)
		}
		pass(time.Minute)
		r.source.Resync()
		r.source.Resync()
		pass(time.Second)
		server.Emit(created(2), created(3))
		synctest.Wait()
		if got := ids(r.got()); !slices.Equal(got, []string{"snapshot", "1"}) {
			t.Errorf("while the snapshot is read: %v", got)
		}
		pass(5 * time.Second)
		server.Emit(created(4))
		pass(time.Minute)
		if got := ids(r.got()); !slices.Equal(got, []string{"snapshot", "1", "snapshot", "2", "3", "4"}) {
			t.Errorf("got %v", got)
		}
		if since := r.snapshots()[1].Snapshot.MissedSince; !since.Equal(missed) {
			t.Errorf("the snapshot misses what came since %v, want %v", since, missed)
		}
		if since := time.Since(r.source.LastHeard()); since > 5*time.Second {
			t.Errorf("heard last %v ago, although what was lost is made up for", since)
		}
		if stats := r.source.Stats(); stats.Connections != 1 {
			t.Errorf("%d connections", stats.Connections)
		}
	})
}

func TestTheFirstSnapshotOfAConnectionAnswersEarlierResyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Minute)
		missed := time.Now()
		r.source.Missed(missed)
		pass(time.Minute)
		server.Refuse(http.StatusServiceUnavailable)
		server.Drop()
		pass(time.Minute)
		r.source.Resync()
		server.Refuse(0)
		pass(time.Hour)
		all := r.snapshots()
		if len(all) != 2 || !all[1].Snapshot.MissedSince.Equal(missed) {
			t.Fatalf("%d snapshots, want 2; the last: %+v, want missed since %v", len(all), all[len(all)-1].Snapshot, missed)
		}
	})
}

func TestASnapshotThatIsAskedForAndFailsEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Minute)
		server.Slow("GET /bridges", aritest.Forever)
		r.source.Resync()
		pass(6 * time.Second)
		server.Slow("GET /bridges", 0)
		pass(time.Minute)
		if got, stats := ids(r.got()), r.source.Stats(); !slices.Equal(got, []string{"snapshot", "snapshot"}) || stats.Connections != 2 {
			t.Errorf("got %v over %d connections", got, stats.Connections)
		}
	})
}
