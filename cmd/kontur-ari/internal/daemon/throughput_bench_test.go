package daemon

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
	"kontur-ari/crm"
	"kontur-ari/crm/crmtest"
	"kontur-ari/internal/secret"
)

// BenchmarkLine brings the events of an answered call through the whole line:
// journal, Tracker, outbox, HTTP, recorded answer. One operation is one call of
// seven events and seven requests, on a real file and a real socket; calls arrive
// as fast as the line takes them.
func BenchmarkLine(b *testing.B) {
	simulator := crmtest.NewServer(crmtest.Options{})
	b.Cleanup(simulator.Close)
	db, err := store.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Errorf("closing the store: %v", err)
		}
	})
	client, err := crm.New(crm.Config{BaseURL: simulator.URL, Workspace: "my-workspace", APIKey: secret.New("test-api-key")}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	directory, err := setup.Directory(benchConfig())
	if err != nil {
		b.Fatal(err)
	}
	dispatcher := delivery.New(db, client, deliveryConfig(configs.Default()), zap.NewNop())
	taker := intake.New(tracker.New(directory, tracker.Policy{}), db, dispatcher.Wake, zap.NewNop())
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 2)
	go func() { done <- dispatcher.Run(ctx) }()
	go func() { done <- taker.Run(ctx) }()

	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		for _, event := range answeredCall(n) {
			taker.Put(event)
		}
	}
	for dispatcher.Stats().Delivered < int64(7*b.N) {
		select {
		case <-b.Context().Done():
			b.Fatal(simulator.Summary())
		case <-time.After(time.Millisecond):
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(7*b.N)/b.Elapsed().Seconds(), "requests/s")
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	if violations := simulator.Violations(); len(violations) > 0 {
		b.Errorf("%d violations, the first: %v", len(violations), violations[0])
	}
}

func benchConfig() configs.Config {
	cfg := configs.Default()
	cfg.Directory.Users = []configs.User{{UserID: "ae9c0d0e-0000-4000-8000-000000000101", Extension: "101", Endpoint: "PJSIP/101"}}
	cfg.Directory.Trunks = []configs.Trunk{{Endpoint: "PJSIP/trunk", Number: "79229929292"}}
	return cfg
}

// answeredCall is what Asterisk says about the n-th call: in, answered, over.
func answeredCall(n int) []bridge.Event {
	at := time.Now()
	trunk := &bridge.Channel{ID: bridge.ChannelID(fmt.Sprintf("%d.1", n)), Name: fmt.Sprintf("PJSIP/trunk-%08x", n), State: bridge.StateRing, CallerNumber: "79997775533", Exten: "79229929292"}
	phone := &bridge.Channel{ID: bridge.ChannelID(fmt.Sprintf("%d.2", n)), Name: fmt.Sprintf("PJSIP/101-%08x", n), State: bridge.StateDown}
	br := &bridge.Bridge{ID: fmt.Sprint("room", n)}
	events := []bridge.Event{
		{Type: bridge.EventChannelCreated, Channel: trunk},
		{Type: bridge.EventChannelCreated, Channel: phone},
		{Type: bridge.EventDial, Caller: trunk, Peer: phone, DialString: "101"},
		{Type: bridge.EventBridgeEntered, Channel: trunk, Bridge: br},
		{Type: bridge.EventBridgeEntered, Channel: phone, Bridge: br},
		{Type: bridge.EventChannelDestroyed, Channel: phone, Cause: 16},
		{Type: bridge.EventChannelDestroyed, Channel: trunk, Cause: 16},
	}
	for i := range events {
		events[i].Time = at
		events[i].Raw = []byte(`{"type":"an event of some five hundred bytes"}`)
	}
	return events
}
