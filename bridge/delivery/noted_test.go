package delivery_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/store"
)

// A call-started that has waited longer than CollapseAfter is noted before it is sent, so
// a process that starts after a crash finds it uncertain. A younger one need not be noted:
// [store.Store.MarkUncertain] covers it.
func TestWhatIsOnItsWayIsOnTheDisk(t *testing.T) {
	for _, test := range []struct {
		name          string
		collapseAfter time.Duration
		// inMemory: it waits for a connection, and need not be read.
		inMemory, want bool
	}{
		{"old, from the disk", time.Millisecond, false, true},
		{"old, from memory", time.Millisecond, true, true},
		{"young, from the disk", time.Hour, false, false},
		{"young, from memory", time.Hour, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			s, crm := openStoreIn(t, directory), newRemote(takeAll)
			crm.hold = make(chan struct{})
			d := delivery.New(s, crm, delivery.Config{Connections: 1, FirstPause: time.Second, LongestPause: time.Second, CollapseAfter: test.collapseAfter}, zap.NewNop())
			if test.inMemory {
				start(t, d)
				s.add(t, bridge.Report{Kind: bridge.ReportEvent, Call: "another"})
				d.Wake(s.news())
				crm.await(t, "another")
			}
			s.add(t, bridge.Report{Kind: bridge.ReportStarted, Call: "1.1"})
			for committed := time.Now(); time.Since(committed) < 3*time.Millisecond; {
				time.Sleep(time.Millisecond)
			}
			if test.inMemory {
				d.Wake(s.news())
				crm.hold <- struct{}{}
			} else {
				start(t, d)
			}
			crm.await(t, "1.1")
			if err := s.SetLastHeard(t.Context(), time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			left := openStoreIn(t, copyOf(t, directory))
			close(crm.hold)
			if err := left.MarkUncertain(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			waiting, err := left.OldestWaiting(t.Context(), []bridge.CallID{"1.1"}, 1)
			if err != nil || len(waiting) != 1 || waiting[0].Uncertain != test.want {
				t.Errorf("found after a crash: %+v, error %v; want it to be uncertain: %t", waiting, err, test.want)
			}
		})
	}
}

// await waits until a request of a call is on its way.
func (r *remote) await(t *testing.T, call bridge.CallID) {
	t.Helper()
	for {
		r.mu.Lock()
		there := r.inFlight[call] > 0
		r.mu.Unlock()
		if there {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("no request of call %s is in flight", call)
		case <-time.After(time.Millisecond):
		}
	}
}

// copyOf copies a store as a crash would leave it.
func copyOf(t *testing.T, directory string) string {
	t.Helper()
	to := t.TempDir()
	for _, ending := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(directory, store.FileName+ending))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, store.FileName+ending), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}
