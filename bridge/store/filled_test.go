package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// filled makes the store of an office in the midst of work, closes it and returns its
// directory: a call in progress, reports that wait, are delivered and refused.
func filled(t *testing.T, reports int) (directory string) {
	t.Helper()
	directory = t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	fillWith(t, s, reports)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return directory
}

func fillWith(t *testing.T, s *store.Store, reports int) {
	t.Helper()
	batch := bridge.Batch{Changed: []bridge.CallState{{Call: "open", State: []byte("state")}}, Ended: []bridge.CallID{"over"}}
	batch.ClickToCalls = []bridge.ClickToCallNews{{ClickToCall: bridge.ClickToCall{CommunicationID: "ordered"}}}
	for n := range reports {
		batch.Reports = append(batch.Reports, report(bridge.CallID(fmt.Sprint("call", n)), bridge.ReportStarted))
		batch.Events = append(batch.Events, bridge.Entry{Received: moment, Event: bridge.Event{Type: bridge.EventDial, Raw: bytes.Repeat([]byte("x"), 400)}})
	}
	commit(t, s, batch)
	settle(t, s, head(t, s, "call0"), bridge.Result{Verdict: bridge.Delivered, Learnt: bridge.Identity{ExternalID: "e"}})
	settle(t, s, head(t, s, "call1"), bridge.Result{Verdict: bridge.Refused, Reason: "no"})
	if err := s.SetLastHeard(t.Context(), moment); err != nil {
		t.Fatal(err)
	}
}

// waiting are the ids of all reports that wait.
func waiting(t *testing.T, s *store.Store) (ids []int64) {
	t.Helper()
	var calls []bridge.CallID
	for after, more := int64(0), true; more; {
		page, last, another, err := s.WaitingCalls(t.Context(), after, 500)
		if err != nil {
			t.Fatal(err)
		}
		calls, after, more = append(calls, page...), last, another
	}
	found, err := s.OldestWaiting(t.Context(), calls, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, pending := range found {
		ids = append(ids, pending.ID)
	}
	slices.Sort(ids)
	return ids
}

// reportsIn are the reports that wait, as they are written, by id.
func reportsIn(t *rapid.T, s *store.Store) map[int64]string {
	var calls []bridge.CallID
	for after, more := int64(0), true; more; {
		page, last, another, err := s.WaitingCalls(context.Background(), after, 500)
		if err != nil {
			t.Fatal(err)
		}
		calls, after, more = append(calls, page...), last, another
	}
	waiting, err := s.OldestWaiting(context.Background(), calls, 10)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[int64]string)
	for _, pending := range waiting {
		text, err := json.Marshal(pending.Report)
		if err != nil {
			t.Fatal(err)
		}
		found[pending.ID] = string(text)
	}
	return found
}
