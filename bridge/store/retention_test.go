package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// events are journal entries of some size, a millisecond apart.
func events(n, size int, since time.Time) []bridge.Entry {
	all := make([]bridge.Entry, n)
	for i := range all {
		all[i] = bridge.Entry{
			Received: since.Add(time.Duration(i) * time.Millisecond), Call: bridge.CallID(fmt.Sprint(i / 50)),
			Event: bridge.Event{Type: bridge.EventDial, Raw: bytes.Repeat([]byte("x"), size)},
		}
	}
	return all
}

func journal(t *testing.T, directory string) store.Range {
	t.Helper()
	history, err := store.OpenHistory(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	all, err := history.Journal(t.Context())
	if err := errors.Join(err, history.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheOldestGoWhenTheStoreIsTooLarge(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	fillWith(t, s, 10)
	const most = 2 << 20
	last := int64(10)
	for round := range 6 {
		commit(t, s, bridge.Batch{Events: events(800, 1000, moment.Add(time.Duration(round)*time.Minute))})
		last += 800
		if err := s.PruneTo(t.Context(), most); err != nil {
			t.Fatal(err)
		}
	}
	left := journal(t, directory)
	if left.Last != last || left.First <= last-2400 || left.First >= last-800 {
		t.Errorf("events %v are left, want the last thousand or two of %d", left, last)
	}
	if info, err := os.Stat(filepath.Join(directory, store.FileName)); err != nil || info.Size() > 2*most {
		t.Errorf("a store that may grow to %d has grown to %d (error %v)", most, info.Size(), err)
	}
}

func TestWhatWaitsIsKeptHoweverLargeTheStoreIs(t *testing.T) {
	s := open(t, t.TempDir())
	fillWith(t, s, 100)
	if err := s.PruneTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got := waiting(t, s); len(got) != 98 {
		t.Errorf("%d reports wait, want 98", len(got))
	}
	open, ended, err := s.OpenCalls(t.Context())
	if err != nil || len(open) != 1 || len(ended) != 1 {
		t.Errorf("%d calls in progress and %d ended ones are left: error %v", len(open), len(ended), err)
	}
	if _, _, found, err := s.ClickToCallFor(t.Context(), "ordered"); !found || err != nil {
		t.Errorf("the order is forgotten: error %v", err)
	}
}

func TestOldIdentitiesGoUnlessSomethingOfTheirCallsIsLeft(t *testing.T) {
	s := open(t, t.TempDir())
	const calls = 300
	keeps := map[bridge.CallID]bool{"call3": true, "call150": true, "call297": true}
	var batch bridge.Batch
	for n := range calls {
		batch.Reports = append(batch.Reports, report(bridge.CallID(fmt.Sprint("call", n)), bridge.ReportStarted))
	}
	commit(t, s, batch)
	var sent []bridge.Sent
	for n := range calls {
		call := bridge.CallID(fmt.Sprint("call", n))
		sent = append(sent, bridge.Sent{Pending: head(t, s, call), Result: bridge.Result{Verdict: bridge.Delivered, Learnt: bridge.Identity{ExternalID: "e"}}})
	}
	if err := s.RecordResults(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	commit(t, s, bridge.Batch{
		Changed: []bridge.CallState{{Call: "call3", State: []byte("{}")}},
		Reports: []bridge.Report{report("call150", bridge.ReportFinished), report("call297", bridge.ReportFinished)},
	})
	settle(t, s, head(t, s, "call297"), bridge.Result{Verdict: bridge.Refused})
	if err := s.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for n := range calls {
		call := bridge.CallID(fmt.Sprint("call", n))
		if _, found, err := s.Identity(t.Context(), call); err != nil || found != keeps[call] {
			t.Errorf("what was learnt of %s is kept: %v, error %v", call, found, err)
		}
	}
}

func TestEventsAreStoredWhileOldOnesAreRemoved(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	commit(t, s, bridge.Batch{Events: events(4000, 500, moment)})
	done := make(chan error, 1)
	go func() { done <- s.Prune(context.Background(), moment.Add(time.Hour)) }()
	during := 0
	for pruned := false; !pruned; {
		commit(t, s, bridge.Batch{Events: events(1, 500, time.Now())})
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			pruned = true
		default:
			during++
		}
	}
	// Each step lets the others have their turn.
	if during < 20 {
		t.Errorf("%d commits were made while 40 steps of removal went on", during)
	}
	if left := journal(t, directory); left.First != 4001 {
		t.Errorf("events %v are left", left)
	}
}

func TestARemovalEndsWhenTheDaemonDoes(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	commit(t, s, bridge.Batch{Events: events(1000, 10, moment)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Prune(ctx, moment.Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("a removal that was called off: %v", err)
	}
	if left := journal(t, directory); left.Last-left.First < 800 {
		t.Errorf("events %v are left of a thousand", left)
	}
}

// BenchmarkCommitWhilePruning compares how long a commit takes at worst, and in the
// middle, while old events are removed, and while they are not.
func BenchmarkCommitWhilePruning(b *testing.B) {
	for _, pruning := range []bool{false, true} {
		b.Run(fmt.Sprint("pruning=", pruning), func(b *testing.B) {
			s := open(b, b.TempDir())
			for range 20 {
				commit(b, s, bridge.Batch{Events: events(10_000, 1000, moment)})
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() {
				if pruning {
					done <- s.PruneTo(ctx, 1)
				} else {
					done <- nil
				}
			}()
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				commit(b, s, bridge.Batch{Events: events(5, 500, time.Now())})
				took = append(took, time.Since(began))
			}
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms/worst")
		})
	}
}

// Events stored while the clock was ahead by years are removed with those stored after them.
func TestAClockThatWasAheadKeepsNothingForYears(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	now := time.Now()
	for _, since := range []time.Time{now.Add(-10 * 24 * time.Hour), now.Add(9000 * time.Hour), now.Add(-9 * 24 * time.Hour), now.Add(-time.Hour)} {
		commit(t, s, bridge.Batch{Events: events(300, 10, since)})
	}
	keep := 7 * 24 * time.Hour
	if err := s.Prune(t.Context(), now.Add(-keep)); err != nil {
		t.Fatal(err)
	}
	if left := journal(t, directory); left != (store.Range{First: 901, Last: 1200}) {
		t.Errorf("events %v are left, want the last 300", left)
	}
}

// Events stored just now stay, even if the clock was set back since.
func TestAClockThatWasSetBackRemovesNothing(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory)
	now := time.Now()
	for _, since := range []time.Time{now.Add(time.Hour), now.Add(-time.Hour)} {
		commit(t, s, bridge.Batch{Events: events(300, 10, since)})
	}
	if err := s.Prune(t.Context(), now.Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left := journal(t, directory); left != (store.Range{First: 1, Last: 600}) {
		t.Errorf("events %v are left, want all", left)
	}
}
