package ari_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
	"kontur-ari/internal/longtest"
)

var upwards = []ari.State{ari.Connecting, ari.Subscribing, ari.Snapshotting, ari.Flowing}

func TestConnectGoesThroughItsStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(299 * time.Millisecond)
		if got := server.Requests(); len(got) != 0 {
			t.Errorf("before the first pause is over: %v", got)
		}
		pass(time.Millisecond)
		if diff := cmp.Diff(upwards, r.states()); diff != "" {
			t.Error(diff)
		}
		if got := r.source.Status(); got.State != ari.Flowing || got.Cause != ari.CauseNone || got.Reason != "" {
			t.Errorf("status %+v", got)
		}
		want := []string{"GET /events", "PUT /applications/kontur-ari/eventFilter",
			"POST /applications/kontur-ari/subscription", "GET /applications/kontur-ari", "GET /channels", "GET /bridges"}
		if diff := cmp.Diff(want, server.Requests()); diff != "" {
			t.Error(diff)
		}
		r.stop()
		if got := r.source.Status(); got.State != ari.Disconnected || got.Cause != ari.CauseStopped {
			t.Errorf("status after the end %+v", got)
		}
	})
}

// A quiet night is no fault: nothing happens for hours, and the connection stays.
func TestQuietConnectionIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(8 * time.Hour)
		if stats := r.source.Stats(); stats.Attempts != 1 || r.source.Status().State != ari.Flowing {
			t.Errorf("%+v %+v", stats, r.source.Status())
		}
	})
}

func TestSnapshotShowsWhatChannelsDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		server.SetChannels(
			`{"id":"1.1","name":"PJSIP/trunk-0","state":"Up","dialplan":{"app_name":"Dial","exten":"s"}}`,
			`{"id":"1.2","name":"PJSIP/101-1","state":"Up","dialplan":{"app_name":"AppDial"}}`,
			`{"id":"1.3","name":"PJSIP/trunk-2","state":"Ring","dialplan":{"app_name":"Queue"},"channelvars":{"CHANNEL(linkedid)":"1.0"}}`,
		)
		server.SetBridges(`{"id":"b","bridge_type":"mixing","channels":["1.1","1.2"]}`)
		server.SetVariable("1.1", "CHANNEL(linkedid)", "1.1")
		server.SetVariable("1.1", "CALLERID(dnid)", "74951112233")
		server.SetVariable("1.2", "CALLERID(dnid)", "not to be asked for")
		began := time.Now()
		r := start(t, configFor(server))
		pass(time.Second)

		want := &bridge.Snapshot{
			Channels: []bridge.Channel{
				{ID: "1.1", Name: "PJSIP/trunk-0", State: bridge.StateUp, Application: "Dial", Exten: "s",
					LinkedID: "1.1", DialledNumber: "74951112233"},
				{ID: "1.2", Name: "PJSIP/101-1", State: bridge.StateUp, Application: "AppDial"},
				{ID: "1.3", Name: "PJSIP/trunk-2", State: bridge.StateRing, Application: "Queue", LinkedID: "1.0"},
			},
			Bridges: []bridge.Bridge{{ID: "b", Channels: []bridge.ChannelID{"1.1", "1.2"}}},
		}
		events := r.got()
		if len(events) != 1 {
			t.Fatalf("%d events", len(events))
		}
		if diff := cmp.Diff(want, events[0].Snapshot); diff != "" {
			t.Error(diff)
		}
		if at := began.Add(300 * time.Millisecond); !events[0].Time.Equal(at) {
			t.Errorf("time %v, want %v", events[0].Time, at)
		}
		again, err := ari.Decode(events[0].Raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(events[0], again); diff != "" {
			t.Error(diff)
		}
	})
}

// Events that come while the snapshot is read follow it, in order, before later ones.
func TestEventsDuringSnapshotFollowIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		server.Slow("GET /bridges", 3*time.Second)
		r := start(t, configFor(server))
		pass(time.Second)
		if got := r.source.Status().State; got != ari.Snapshotting {
			t.Fatalf("state %s", got)
		}
		server.Emit(created(1), created(2))
		pass(time.Second)
		server.Emit(created(3))
		synctest.Wait()
		if got := r.got(); len(got) != 0 {
			t.Errorf("before the snapshot: %v", ids(got))
		}
		pass(2 * time.Second)
		server.Emit(created(4))
		synctest.Wait()
		if diff := cmp.Diff([]string{"snapshot", "1", "2", "3", "4"}, ids(r.got())); diff != "" {
			t.Error(diff)
		}
	})
}

// What was kept back on a connection that died is covered by the next snapshot.
func TestEventsOfAFailedSnapshotAreDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		server.Slow("GET /bridges", aritest.Forever)
		r := start(t, configFor(server))
		pass(time.Second)
		server.Emit(created(1), created(2))
		pass(4 * time.Second)
		server.Slow("GET /bridges", 0)
		pass(5 * time.Second)
		if diff := cmp.Diff([]string{"snapshot"}, ids(r.got())); diff != "" {
			t.Error(diff)
		}
		if stats := r.source.Stats(); stats.Discarded != 2 || stats.Connections != 1 || stats.Attempts != 2 {
			t.Errorf("%+v", stats)
		}
	})
}

func TestUnreadableAndUnknownAreCountedAndSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Second)
		varset := []byte(`{"type":"ChannelVarset","variable":"x"}`)
		if server.Emit(varset) != 0 {
			t.Error("the event filter lets ChannelVarset through")
		}
		server.EmitUnfiltered(created(1), varset, []byte("{"), varset, []byte("[]"), created(2))
		synctest.Wait()
		if diff := cmp.Diff([]string{"snapshot", "1", "2"}, ids(r.got())); diff != "" {
			t.Error(diff)
		}
		stats := r.source.Stats()
		if stats.Delivered != 3 || stats.Unknown != 2 || stats.UnknownTypes["ChannelVarset"] != 2 || stats.Malformed != 2 {
			t.Errorf("%+v", stats)
		}
		if stats.Bytes != uint64(len(created(1))*2+len(varset)*2+3) || !stats.LastMessage.Equal(time.Now()) {
			t.Errorf("%+v", stats)
		}
	})
}

func TestBurstIsDeliveredInOrder(t *testing.T) {
	burst := longtest.Count(5_000, 50_000)
	server := aritest.Start(t)
	r := start(t, configFor(server))
	r.await(t, 1)
	events := make([][]byte, burst)
	for i := range events {
		events[i] = created(i)
	}
	if sent := server.Emit(events...); sent != burst {
		t.Fatalf("sent %d", sent)
	}
	for i, event := range r.await(t, burst+1)[1:] {
		if string(event.Channel.ID) != strconv.Itoa(i) {
			t.Fatalf("event %d is %s", i, event.Channel.ID)
		}
	}
	if stats := r.source.Stats(); stats.Delivered != uint64(burst)+1 || stats.Attempts != 1 {
		t.Errorf("%+v", stats)
	}
}

// A bridge with very many members makes an event of far more than the usual size.
func TestHugeEventIsRead(t *testing.T) {
	server := aritest.Start(t)
	r := start(t, configFor(server))
	r.await(t, 1)
	event := []byte(`{"type":"BridgeDestroyed","bridge":{"id":"b","channels":[`)
	for i := range 100_000 {
		event = fmt.Appendf(event, `"%d",`, i)
	}
	server.Emit(append(event, `"last"]}}`...))
	if br := r.await(t, 2)[1].Bridge; !slices.Contains(br.Channels, "last") {
		t.Errorf("%d members", len(br.Channels))
	}
}

func TestReplayKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		if err := server.AwaitSubscribed(t.Context()); err != nil {
			t.Fatal(err)
		}
		capture, err := aritest.ReadEvents("testdata/answered_hold.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		sent := server.Replay(t.Context(), capture, 10)
		if took := time.Since(began); sent != len(capture) || took < time.Second || took > 2*time.Second {
			t.Errorf("%d of %d events in %v", sent, len(capture), took)
		}
		pass(time.Second)
		if got := len(r.got()); got != len(capture)+1 {
			t.Errorf("%d events", got)
		}
	})
}

func TestRunTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		r := start(t, configFor(server))
		pass(time.Second)
		if err := r.source.Run(t.Context(), nil); err != ari.ErrRunning {
			t.Errorf("second Run: %v", err)
		}
		r.stop()
		pass(time.Second)
		if got := server.Listeners(); got != 0 {
			t.Errorf("%d listeners after the end", got)
		}
	})
}
