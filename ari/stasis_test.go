package ari_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
)

// starts collects what OnStasis receives.
type starts struct {
	mu  sync.Mutex
	all []ari.StasisStart
}

func (s *starts) take(start ari.StasisStart) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, start)
}

// ids names them, with a + behind those that were found; sorted.
func (s *starts) ids() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := []string{}
	for _, start := range s.all {
		id := string(start.Channel.ID)
		if start.Found {
			id += "+"
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func TestAChannelThatEntersStasisGoesToOnStasisAndNotToTheEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		received := &starts{}
		r := startWith(t, configFor(server), ari.SourceConfig{OnStasis: received.take})
		pass(time.Second)
		if !server.Enter("1.1", "+79990000001", application, "redirect", "second") {
			t.Fatal("no listener is registered")
		}
		synctest.Wait()
		want := []ari.StasisStart{{
			Channel: bridge.Channel{
				ID: "1.1", Name: "PJSIP/trunk-1.1", State: bridge.StateRing, CallerNumber: "+79990000001",
				Exten: "78005550150", Application: "Stasis",
			},
			Arguments: []string{"redirect", "second"},
			Time:      time.Now().Truncate(time.Millisecond).UTC(),
		}}
		if diff := cmp.Diff(want, received.all); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"snapshot"}, ids(r.got())); diff != "" {
			t.Errorf("the events: %s", diff)
		}
		if stats := r.source.Stats(); stats.Stasis != 1 || stats.Unknown != 0 || stats.Malformed != 0 {
			t.Errorf("%+v", stats)
		}
	})
}

// A caller is on the line: a StasisStart does not wait for the snapshot, and the snapshot
// does not repeat it.
func TestAChannelThatEntersDuringTheSnapshotIsPassedOnOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		server.Slow("GET /channels", 3*time.Second)
		received := &starts{}
		server.Leftover("1.1", "", application, "redirect")
		server.Leftover("1.2", "", "another", "redirect")
		server.Leftover("1.3", "", application)
		startWith(t, configFor(server), ari.SourceConfig{OnStasis: received.take})
		pass(time.Second)
		server.Enter("1.4", "", application, "redirect")
		synctest.Wait()
		if diff := cmp.Diff([]string{"1.4"}, received.ids()); diff != "" {
			t.Errorf("before the snapshot: %s", diff)
		}
		pass(3 * time.Second)
		if diff := cmp.Diff([]string{"1.1+", "1.3+", "1.4"}, received.ids()); diff != "" {
			t.Errorf("after it: %s", diff)
		}
		server.Drop()
		pass(10 * time.Second)
		if diff := cmp.Diff([]string{"1.1+", "1.1+", "1.3+", "1.3+", "1.4", "1.4+"}, received.ids()); diff != "" {
			t.Errorf("after another connection: %s", diff)
		}
	})
}

func TestAStasisStartWithoutAChannelIsMalformed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		received := &starts{}
		r := startWith(t, configFor(server), ari.SourceConfig{OnStasis: received.take})
		pass(time.Second)
		server.EmitUnfiltered([]byte(`{"type":"StasisStart","args":["redirect"]}`), []byte(`{"type":"StasisStart","args":"x","channel":{"id":"1.1"}}`))
		synctest.Wait()
		if stats := r.source.Stats(); stats.Malformed != 1 || stats.Stasis != 1 {
			t.Errorf("%+v", stats)
		}
		if diff := cmp.Diff([]string{"1.1"}, received.ids()); diff != "" {
			t.Error(diff)
		}
	})
}

// Without the event in its filter Asterisk would never say who waits.
func TestAFilterWithoutStasisStartIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Second)
		server.ForgetStasis()
		pass(10 * time.Second)
		if got := r.source.Stats(); got.Connections != 2 {
			t.Errorf("%d connections, %+v", got.Connections, r.source.Status())
		}
	})
}

func TestSwitchCommandsAChannelInStasis(t *testing.T) {
	server := aritest.Start(t)
	rest := newSwitch(t, server)
	server.Leftover("1.1", "", application, "redirect")
	found, err := rest.Waiting(t.Context(), application)
	if err != nil || len(found) != 1 || found[0].Channel.ID != "1.1" || !found[0].Found || !slices.Equal(found[0].Arguments, []string{"redirect"}) {
		t.Errorf("waiting: %+v, %v", found, err)
	}
	if err := rest.SetVariable(t.Context(), "1.1", "KONTUR_EXTEN", "10 1&x"); err != nil || server.Variable("1.1", "KONTUR_EXTEN") != "10 1&x" {
		t.Errorf("set %q, %v", server.Variable("1.1", "KONTUR_EXTEN"), err)
	}
	if err := rest.Continue(t.Context(), "1.1"); err != nil || server.Waits("1.1") {
		t.Errorf("waits %t, %v", server.Waits("1.1"), err)
	}
	if err := rest.Continue(t.Context(), "1.1"); !errors.Is(err, ari.ErrConflict) {
		t.Errorf("continue again: %v", err)
	}
	if err := rest.SetVariable(t.Context(), "1.1", "X", "y"); !errors.Is(err, ari.ErrConflict) {
		t.Errorf("set afterwards: %v", err)
	}
}

func TestSwitchReadsEndpoints(t *testing.T) {
	server := aritest.Start(t)
	rest := newSwitch(t, server)
	server.SetEndpoint("PJSIP/101", "online", "1.1", "1.2")
	server.SetEndpoint("PJSIP/102", "offline")
	server.SetEndpoint("IAX2/103", "whatever")
	for name, want := range map[string]ari.Endpoint{
		"PJSIP/101": {State: ari.EndpointOnline, Channels: []bridge.ChannelID{"1.1", "1.2"}},
		"PJSIP/102": {State: ari.EndpointOffline, Channels: []bridge.ChannelID{}},
		"IAX2/103":  {State: ari.EndpointUnknown, Channels: []bridge.ChannelID{}},
	} {
		got, err := rest.Endpoint(t.Context(), name)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	for _, name := range []string{"PJSIP/199", "PJSIP"} {
		if _, err := rest.Endpoint(t.Context(), name); !errors.Is(err, ari.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
