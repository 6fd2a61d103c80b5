package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// openHistory opens what another one writes to.
func openHistory(t *testing.T, directory string) *store.History {
	t.Helper()
	history, err := store.OpenHistory(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := history.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return history
}

func said(call bridge.CallID, channel bridge.ChannelID) bridge.Entry {
	return bridge.Entry{Received: moment, Call: call, Event: bridge.Event{
		Type: bridge.EventChannelCreated, Channel: &bridge.Channel{ID: channel}, Raw: []byte(channel),
	}}
}

func showed(raw string) bridge.Entry {
	return bridge.Entry{Received: moment, Event: bridge.Event{Type: bridge.EventSnapshot, Raw: []byte(raw)}}
}

func TestTheJournalIsReadInOrderWhileItIsWritten(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	history := openHistory(t, directory)
	if all, err := history.Journal(t.Context()); err != nil || all != (store.Range{}) {
		t.Errorf("an empty journal: %v, error %v", all, err)
	}
	const events = 1203
	var batch bridge.Batch
	for n := range events {
		batch.Events = append(batch.Events, said("1.1", bridge.ChannelID(fmt.Sprint(n))))
	}
	commit(t, s, batch)
	all, err := history.Journal(t.Context())
	if err != nil || all != (store.Range{First: 1, Last: events}) {
		t.Fatalf("the journal is %v, error %v", all, err)
	}
	var read int64
	err = history.Events(t.Context(), all, func(e store.Event) error {
		if string(e.Raw) != fmt.Sprint(read) {
			t.Fatalf("event %s is number %d", e.Raw, read)
		}
		if read++; e.ID != read || e.Call != "1.1" || !e.Received.Equal(moment) || e.Type != bridge.EventChannelCreated {
			t.Errorf("event %d: %+v", read, e)
		}
		if read == 700 {
			commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "later")}})
		}
		return nil
	})
	if err != nil || read != events {
		t.Errorf("%d events read, error %v", read, err)
	}
	stop := errors.New("enough")
	if err := history.Events(t.Context(), all, func(store.Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a visit that ends early: %v", err)
	}
}

func TestTheRangeOfACallIsFoundByItsChannelsAndSnapshots(t *testing.T) {
	directory := t.TempDir()
	destroyed := said("1.1", "1.2")
	destroyed.Event.Type = bridge.EventChannelDestroyed
	s := open(t, directory)
	commit(t, s, bridge.Batch{Events: []bridge.Entry{
		showed(`{"id":"1.1"}`), // 1
		said("9.9", "9.9"),     // 2
		said("1.2", "1.2"),     // 3, before it was known to belong
		said("1.1", "1.1"),     // 4
		said("", "8.8"),        // 5
		destroyed,              // 6
	}})
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.1")}, Gone: []bridge.CallID{"1.1"}}) // 7
	commit(t, s, bridge.Batch{Events: []bridge.Entry{showed(`{"id":"1.10"}`)}})                          // 8
	history := openHistory(t, directory)
	for _, test := range []struct {
		name string
		find func() (store.Range, error)
		want store.Range
	}{
		{"by the call", func() (store.Range, error) { return history.CallRange(t.Context(), "1.1", nil) }, store.Range{First: 4, Last: 7}},
		{"by a channel", func() (store.Range, error) {
			return history.CallRange(t.Context(), "1.1", []bridge.ChannelID{"1.2", "7"})
		}, store.Range{First: 3, Last: 7}},
		{"a channel alone", func() (store.Range, error) { return history.CallRange(t.Context(), "1.2", nil) }, store.Range{First: 3, Last: 6}},
		{"in progress", func() (store.Range, error) { return history.CallRange(t.Context(), "9.9", nil) }, store.Range{First: 2, Last: 8}},
		{"no call", func() (store.Range, error) { return history.CallRange(t.Context(), "", nil) }, store.Range{}},
		{"by a snapshot", func() (store.Range, error) { return history.SnapshotRange(t.Context(), "1.1") }, store.Range{First: 1, Last: 1}},
		{"in no snapshot", func() (store.Range, error) { return history.SnapshotRange(t.Context(), `"`) }, store.Range{}},
	} {
		if got, err := test.find(); err != nil || got != test.want {
			t.Errorf("%s: %v, want %v, error %v", test.name, got, test.want, err)
		}
	}
	neighbours := func(id int64) (found []int64) {
		for _, find := range []func() (store.Event, bool, error){
			func() (store.Event, bool, error) { return history.SnapshotBefore(t.Context(), id) },
			func() (store.Event, bool, error) { return history.SnapshotAfter(t.Context(), id) },
		} {
			e, ok, err := find()
			if err != nil || ok != (e.ID != 0) {
				t.Errorf("beside %d: %+v, found %v, error %v", id, e, ok, err)
			}
			found = append(found, e.ID)
		}
		return found
	}
	if diff := cmp.Diff([][]int64{{0, 8}, {1, 8}, {1, 0}}, [][]int64{neighbours(1), neighbours(4), neighbours(8)}); diff != "" {
		t.Errorf("snapshots before and after (-want +got):\n%s", diff)
	}
}
