package store_test

import (
	"database/sql"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

func callRange(t *testing.T, directory string, call bridge.CallID) store.Range {
	t.Helper()
	found, err := openHistory(t, directory).CallRange(t.Context(), call, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Events of a call that has ended extend its span, even after a restart.
func TestASpanGrowsAsLongAsEventsCome(t *testing.T) {
	directory := t.TempDir()
	t.Run("before a restart", func(t *testing.T) {
		s := open(t, directory)
		commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.1"), said("1.1", "1.2")}})           // 1, 2
		commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.2")}, Gone: []bridge.CallID{"1.1"}}) // 3
		commit(t, s, bridge.Batch{Events: []bridge.Entry{said("2.1", "2.1")}})                               // 4
		commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.2")}})                               // 5
		commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.2")}})                               // 6
	})
	s := open(t, directory)
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.2"), said("3.1", "3.1")}}) // 7, 8
	for call, want := range map[bridge.CallID]store.Range{"1.1": {First: 1, Last: 7}, "2.1": {First: 4, Last: 8}, "3.1": {First: 8, Last: 8}} {
		if got := callRange(t, directory, call); got != want {
			t.Errorf("call %s: %v, want %v", call, got, want)
		}
	}
}

// A failed transaction writes no span. The next one writes it.
func TestASpanIsWrittenAfterAFailure(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	spoil(t, directory, "CREATE TRIGGER failing BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'not now'); END")
	batch := bridge.Batch{Events: []bridge.Entry{said("1.1", "1.1")}, Reports: []bridge.Report{report("1.1", bridge.ReportStarted)}}
	if _, err := s.Commit(t.Context(), batch); err == nil {
		t.Fatal("the transaction succeeded")
	}
	spoil(t, directory, "DROP TRIGGER failing")
	commit(t, s, batch)
	if got := callRange(t, directory, "1.1"); got != (store.Range{First: 1, Last: 1}) {
		t.Errorf("the call is at %v", got)
	}
}

// Prune removes a span with its events, and keeps that of a call with events left. A call in
// progress gets its span back with the next event.
func TestSpansGoWithTheirEvents(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	old := func(call bridge.CallID) bridge.Entry {
		entry := said(call, bridge.ChannelID(call))
		entry.Received = moment.Add(-time.Hour)
		return entry
	}
	commit(t, s, bridge.Batch{Events: []bridge.Entry{old("1.1"), old("2.1"), old("3.1")}})               // 1 to 3
	commit(t, s, bridge.Batch{Events: []bridge.Entry{old("1.1")}, Gone: []bridge.CallID{"1.1"}})         // 4
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("2.1", "2.1")}, Gone: []bridge.CallID{"2.1"}}) // 5
	if err := s.Prune(t.Context(), moment.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	var left string
	raw(t, directory, func(db *sql.DB) error {
		return db.QueryRowContext(t.Context(), "SELECT GROUP_CONCAT(name) FROM spans").Scan(&left)
	})
	if left != "2.1" {
		t.Errorf("the spans of %s are left, want that of 2.1", left)
	}
	// The call is in progress: its next event comes.
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("3.1", "3.1")}}) // 6
	if got := callRange(t, directory, "3.1"); got != (store.Range{First: 6, Last: 6}) {
		t.Errorf("the call that goes on is at %v", got)
	}
}

// No report gets the id of an earlier one, even if nothing is left of that and another
// process opened the store.
func TestAnIDIsNotGivenAgain(t *testing.T) {
	directory := t.TempDir()
	t.Run("before", func(t *testing.T) {
		s := open(t, directory)
		commitKinds(t, s, "1.1", goingKinds)
		for range goingKinds {
			settle(t, s, head(t, s, "1.1"), bridge.Result{Verdict: bridge.Delivered})
		}
		if err := s.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	})
	s := open(t, directory)
	commitKinds(t, s, "2.1", goingKinds[:1])
	if id := head(t, s, "2.1").ID; id != int64(len(goingKinds))+1 {
		t.Errorf("the next report has the id %d, want %d", id, len(goingKinds)+1)
	}
}

// A call that was joined to another is gone, but the channel of the same name is not. The
// span reaches to the channel's end.
func TestASpanOfAChannelOutlivesTheCallOfItsName(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	destroyed := said("1.1", "1.2")
	destroyed.Event.Type = bridge.EventChannelDestroyed
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.1"), said("1.2", "1.2")}})           // 1, 2
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.1")}, Gone: []bridge.CallID{"1.2"}}) // 3
	if got := callRange(t, directory, "1.2"); got != (store.Range{First: 2, Last: 3}) {
		t.Errorf("the call that is gone is at %v", got)
	}
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.2"), said("1.1", "1.2"), said("1.1", "1.1")}}) // 4 to 6
	if got := callRange(t, directory, "1.2"); got != (store.Range{First: 2, Last: 6}) {
		t.Errorf("while the channel goes on it is at %v", got)
	}
	commit(t, s, bridge.Batch{Events: []bridge.Entry{destroyed, said("1.1", "1.1")}}) // 7, 8
	if got := callRange(t, directory, "1.2"); got != (store.Range{First: 2, Last: 7}) {
		t.Errorf("after its end it is at %v", got)
	}
	// Asterisk sends late events of Local channels. Such an event does not open the span again.
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.2"), said("1.1", "1.1"), said("1.1", "1.1")}}) // 9 to 11
	if got := callRange(t, directory, "1.2"); got != (store.Range{First: 2, Last: 9}) {
		t.Errorf("after a straggler it is at %v", got)
	}
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.2")}, Gone: []bridge.CallID{"1.2"}}) // 12
	commit(t, s, bridge.Batch{Events: []bridge.Entry{said("1.1", "1.2"), said("1.1", "1.1")}})           // 13, 14
	if got := callRange(t, directory, "1.2"); got != (store.Range{First: 2, Last: 13}) {
		t.Errorf("after one more it is at %v", got)
	}
}
