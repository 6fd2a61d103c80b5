package daemon

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/internal/secret"
)

const (
	// busy is how many events a second flow while the disk stands still, and stalled how
	// many in all: five seconds of them.
	busy    = 500
	stalled = 5 * busy
)

// missedCalls are the events of callers who hang up in the IVR, two for each.
func missedCalls(n int) [][]byte {
	var events [][]byte
	for i := range n / 2 {
		for _, event := range []string{"ChannelCreated", "ChannelDestroyed"} {
			events = append(events, fmt.Appendf(nil,
				`{"type":%q,"timestamp":%q,"cause":16,"channel":{"id":"1795401475.%d","name":"PJSIP/trunk-%08x","state":"Ring","caller":{"number":"79997775533"},"connected":{"number":""},"dialplan":{"context":"from-trunk","exten":"79229929292","priority":1,"app_name":"","app_data":""}}}`,
				event, time.Now().UTC().Format("2006-01-02T15:04:05.000-0700"), i, i))
		}
	}
	return events
}

// standstill is a store whose commits wait while it is held.
type standstill struct {
	*store.Store
	held atomic.Pointer[chan struct{}]
}

func (s *standstill) Commit(ctx context.Context, batch bridge.Batch) ([]bridge.Pending, error) {
	if held := s.held.Load(); held != nil {
		<-*held
	}
	return s.Store.Commit(ctx, batch)
}

// Asterisk drops a listener that makes it wait for 100 ms. So every event is read, and
// soon, while nothing at all can be stored.
func TestTheSocketIsReadWhileTheDiskStandsStill(t *testing.T) {
	switchboard := aritest.Start(t)
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	disk := &standstill{Store: db}
	directory, err := setup.Directory(benchConfig())
	if err != nil {
		t.Fatal(err)
	}
	config := ari.Config{URL: switchboard.URL, Username: aritest.Username, Password: secret.New(aritest.Password), Application: "kontur-ari"}
	switcher, err := ari.NewSwitch(config)
	if err != nil {
		t.Fatal(err)
	}
	defer switcher.Close()
	source := ari.NewSource(switcher, ari.SourceConfig{}, zap.NewNop())
	taker := intake.New(tracker.New(directory, tracker.Policy{}), disk, func([]bridge.Pending) {}, zap.NewNop(), intake.WithSource(source))
	ctx, cancel := context.WithCancel(t.Context())
	taken, read := make(chan error, 1), make(chan error, 1)
	go func() { taken <- taker.Run(ctx) }()
	go func() { read <- source.Run(ctx, taker.Put) }()
	eventually(t, "the first snapshot is stored", func() bool { return taker.Stats().Events == 1 })

	held := make(chan struct{})
	disk.held.Store(&held)
	if sent := switchboard.Replay(t.Context(), missedCalls(stalled), busy); sent != stalled {
		t.Fatalf("%d events were sent", sent)
	}
	eventually(t, "every event is read while none can be stored", func() bool { return source.Stats().Delivered == 1+stalled })
	if stats := taker.Stats(); stats.Events != 1 || !stats.Stalled || stats.Memory > stats.MemoryMost {
		t.Errorf("while the disk stands still: %+v", stats)
	}
	disk.held.Store(nil)
	close(held)
	eventually(t, "every event is stored", func() bool { return taker.Stats().Events == 1+stalled })
	if stats := source.Stats(); stats.Connections != 1 {
		t.Errorf("%d connections", stats.Connections)
	}
	cancel()
	for _, err := range []error{<-read, <-taken, db.Close()} {
		if err != nil {
			t.Error(err)
		}
	}
}
