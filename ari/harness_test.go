package ari_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
	"kontur-ari/internal/secret"
)

const application = "kontur-ari"

// running is a Source under test with everything that it said.
type running struct {
	source *ari.Source
	log    *observer.ObservedLogs
	stop   func()

	mu       sync.Mutex
	events   []bridge.Event
	statuses []ari.Status
	arrived  chan struct{}
}

func configFor(server *aritest.Server) ari.Config {
	config := ari.Config{
		URL: server.URL, Username: aritest.Username, Password: secret.New(aritest.Password), Application: application,
	}
	if server.Transport != nil {
		config.Transport = server.Transport
	} else {
		config.Transport = &http.Transport{}
	}
	return config
}

// start runs a Source until the test ends, or until stop is called.
func start(t *testing.T, config ari.Config) *running {
	t.Helper()
	return startWith(t, config, ari.SourceConfig{})
}

// startWith is start for a Source that is configured, but for its OnChange.
func startWith(t *testing.T, config ari.Config, sourceConfig ari.SourceConfig) *running {
	t.Helper()
	core, log := observer.New(zap.InfoLevel)
	r := &running{log: log, arrived: make(chan struct{}, 1)}
	sourceConfig.OnChange = func(status ari.Status) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.statuses = append(r.statuses, status)
	}
	rest, err := ari.NewSwitch(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rest.Close)
	source := ari.NewSource(rest, sourceConfig, zap.New(core))
	r.source = source
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := source.Run(ctx, r.take); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	return r
}

func (r *running) take(event bridge.Event) {
	r.mu.Lock()
	r.events = append(r.events, event)
	r.mu.Unlock()
	select {
	case r.arrived <- struct{}{}:
	default:
	}
}

// got returns the events so far.
func (r *running) got() []bridge.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// await waits, on a real clock, until n events have come.
func (r *running) await(t *testing.T, n int) []bridge.Event {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		enough := len(r.events) >= n
		r.mu.Unlock()
		if enough {
			return r.got()
		}
		select {
		case <-r.arrived:
		case <-limit:
			t.Fatalf("%d of %d events; %+v", len(r.got()), n, r.source.Status())
		}
	}
}

// states returns the states so far, and forgets them.
func (r *running) states() []ari.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	states := make([]ari.State, len(r.statuses))
	for i, status := range r.statuses {
		states[i] = status.State
	}
	r.statuses = nil
	return states
}

// pass lets time go by in a synctest bubble and everything that it causes happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// created is a ChannelCreated whose channel's id is n.
func created(n int) []byte {
	return fmt.Appendf(nil, `{"type":"ChannelCreated","timestamp":"2026-11-23T11:00:00.000+0000","channel":{"id":"%d","name":"PJSIP/101-%08x","state":"Down"}}`, n, n)
}

// ids returns the channel ids of events, and "snapshot" for a snapshot.
func ids(events []bridge.Event) []string {
	out := make([]string, len(events))
	for i, event := range events {
		switch {
		case event.Type == bridge.EventSnapshot:
			out[i] = "snapshot"
		case event.Channel != nil:
			out[i] = string(event.Channel.ID)
		}
	}
	return out
}
