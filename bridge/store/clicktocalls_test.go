package store

import (
	"testing"
	"time"

	"kontur-ari/bridge"
)

func TestOrdersAreRemembered(t *testing.T) {
	directory := t.TempDir()
	s, err := Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	given := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: "c1", From: "u101", Number: "79997775533"}
	other := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: "c1", From: "u102", Number: "79997775533"}
	declined := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: "c2", From: "u101", To: "u102", Number: "102"}
	refusal := &bridge.Refusal{Status: bridge.RefusedOffline, Message: "offline"}
	var batch bridge.Batch
	for _, event := range []bridge.Event{
		bridge.NewClickToCallEvent(given, 0, at), bridge.NewClickToCallEvent(other, 0, at), bridge.NewClickPlacedEvent(given, []bridge.ChannelID{given.Channel(1), given.Channel(2)}, at),
		bridge.NewClickToCallEvent(declined, 0, at), bridge.NewClickRefusedEvent(declined, refusal, true, at),
	} {
		batch.ClickToCalls = append(batch.ClickToCalls, *event.ClickToCall)
	}
	if _, err := s.Commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), directory); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if click, why, found, err := s.ClickToCallFor(t.Context(), "c1"); click != given || why != nil || !found || err != nil {
		t.Errorf("c1: %+v, %v, found %v, error %v; want the first order", click, why, found, err)
	}
	if click, why, found, err := s.ClickToCallFor(t.Context(), "c2"); click != declined || why == nil || *why != *refusal || !found || err != nil {
		t.Errorf("c2: %+v, %v, found %v, error %v", click, why, found, err)
	}
	if _, _, found, err := s.ClickToCallFor(t.Context(), "c3"); found || err != nil {
		t.Errorf("c3: found %v, error %v", found, err)
	}
	// The journal may be short; orders are remembered for a month.
	for _, age := range []time.Duration{0, ordersKept - time.Hour} {
		s.now = func() time.Time { return time.Now().Add(age) }
		if err := s.Prune(t.Context(), s.now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, _, found, err := s.ClickToCallFor(t.Context(), "c1"); !found || err != nil {
			t.Errorf("c1 after %s: found %v, error %v", age, found, err)
		}
	}
	s.now = func() time.Time { return time.Now().Add(ordersKept + time.Hour) }
	if err := s.Prune(t.Context(), s.now()); err != nil {
		t.Fatal(err)
	}
	if _, _, found, err := s.ClickToCallFor(t.Context(), "c1"); found || err != nil {
		t.Errorf("c1 after its time: found %v, error %v", found, err)
	}
}

func TestACallIsFoundByItsCommunication(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := s.Commit(t.Context(), bridge.Batch{Reports: []bridge.Report{{Kind: bridge.ReportStarted, Call: "1.1"}}}); err != nil {
		t.Fatal(err)
	}
	waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{"1.1"}, 1)
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%d reports wait, error %v", len(waiting), err)
	}
	result := bridge.Result{Verdict: bridge.Delivered, Learnt: bridge.Identity{ExternalID: "Asterisk/1.1", CommunicationID: "AE9C0D0E"}}
	if err := s.RecordResults(t.Context(), []bridge.Sent{{Pending: waiting[0], Result: result}}); err != nil {
		t.Fatal(err)
	}
	if call, found, err := s.CallOf(t.Context(), "ae9c0d0e"); call != "1.1" || !found || err != nil {
		t.Errorf("the call is %q, found %v, error %v", call, found, err)
	}
	if _, found, err := s.CallOf(t.Context(), "another"); found || err != nil {
		t.Errorf("another: found %v, error %v", found, err)
	}
}
