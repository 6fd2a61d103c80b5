package daemon

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/internal/secret"
)

func TestHealthSaysThatEventsCannotBeStored(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	directory, err := setup.Directory(benchConfig())
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{store: db, intake: intake.New(tracker.New(directory, tracker.Policy{}), db, func([]bridge.Pending) {}, zap.NewNop())}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.intake.Run(ctx) }()
	for _, event := range answeredCall(1) {
		d.intake.Put(event)
	}
	for deadline := time.Now().Add(patience); ; <-time.After(time.Millisecond) {
		if err := d.healthy(t.Context()); err != nil && strings.Contains(err.Error(), "events can't be stored") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("healthy says %v", d.healthy(t.Context()))
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("the intake ended as if all events were stored")
	}
}

// noJournal stores no events.
type noJournal struct{ bridge.Journal }

func (noJournal) Commit(context.Context, bridge.Batch) ([]bridge.Pending, error) {
	return nil, errors.New("database or disk is full")
}

// Events that are only in memory when the process ends are lost. The next process must
// not take Asterisk for heard later than them.
func TestEventsThatWereNotStoredCountAsNotHeard(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	directory, err := setup.Directory(benchConfig())
	if err != nil {
		t.Fatal(err)
	}
	rest, err := ari.NewSwitch(ari.Config{URL: "http://asterisk.test/ari", Username: "u", Password: secret.New("p"), Application: "kontur-ari"})
	if err != nil {
		t.Fatal(err)
	}
	source := ari.NewSource(rest, ari.SourceConfig{LastHeard: time.Now().Add(time.Hour)}, zap.NewNop()) // it isn't run
	d := &Daemon{store: db, source: source, intake: intake.New(tracker.New(directory, tracker.Policy{}), noJournal{}, func([]bridge.Pending) {}, zap.NewNop())}
	for _, event := range answeredCall(1) {
		d.intake.Put(event)
	}
	arrived := time.Now()
	running, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.intake.Run(running) }()
	for deadline := time.Now().Add(patience); !d.intake.Stats().Failing; <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("storing does not fail")
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	d.recordHeard(over)
	if heard, err := db.LastHeard(t.Context()); err != nil || heard.IsZero() || heard.After(arrived) {
		t.Errorf("Asterisk was heard last at %v (error %v), events of %v are not stored", heard, err, arrived)
	}
	stop()
	<-ended
}
