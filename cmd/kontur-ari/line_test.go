package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
)

func TestHealthTellsOfEventsThatCannotBeStored(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	directory, err := directoryOf(benchConfig())
	if err != nil {
		t.Fatal(err)
	}
	l := &line{db: db, intake: intake.New(bridge.NewTracker(directory, bridge.Policy{}), db, func([]bridge.Pending) {}, zap.NewNop())}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.intake.Run(ctx) }()
	for _, event := range answeredCall(1) {
		l.intake.Put(event)
	}
	for deadline := time.Now().Add(patience); ; <-time.After(time.Millisecond) {
		if err := l.healthy(t.Context()); err != nil && strings.Contains(err.Error(), "events can't be stored") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("healthy says %v", l.healthy(t.Context()))
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("the intake ended as if all events were stored")
	}
}
