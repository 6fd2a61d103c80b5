package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/store/rescue"
)

// oneDamage is the only damage that a store has found.
func oneDamage(t *testing.T, s *store.Store) store.Damage {
	t.Helper()
	damages := s.Rescued()
	if len(damages) != 1 {
		t.Fatalf("%d damages, want 1: %+v", len(damages), damages)
	}
	return damages[0]
}

func TestAFileThatIsNoStoreIsMovedAsideAndANewOneBegun(t *testing.T) {
	for name, content := range map[string][]byte{
		"text":     []byte("not a database, but long enough to be looked at as one, with some more words"),
		"zeros":    make([]byte, 1<<16),
		"empty":    {},
		"one byte": {'S'},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			path := filepath.Join(directory, store.FileName)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, directory)
			damage := oneDamage(t, s)
			if kept, err := os.ReadFile(damage.Aside); err != nil || !bytes.Equal(kept, content) {
				t.Errorf("what was there is not in %s as it was: error %v", damage.Aside, err)
			}
			if len(damage.Unreadable) == 0 || damage.Cause == nil {
				t.Errorf("the damage does not say what was lost, and why: %+v", damage)
			}
			commit(t, s, bridge.Batch{Reports: []bridge.Report{report("1.1", bridge.ReportStarted)}})
			if id := head(t, s, "1.1").ID; id < 1_000_000_000 {
				t.Errorf("the id %d of a report may have been another's in the file that was lost", id)
			}
		})
	}
}

func TestALogWithoutItsFileIsKept(t *testing.T) {
	directory := t.TempDir()
	log := filepath.Join(directory, store.FileName+"-wal")
	if err := os.WriteFile(log, []byte("entries"), 0o600); err != nil {
		t.Fatal(err)
	}
	damage := oneDamage(t, open(t, directory))
	if kept, err := os.ReadFile(damage.Aside + "-wal"); err != nil || string(kept) != "entries" {
		t.Errorf("the log is not beside %s: %q, error %v", damage.Aside, kept, err)
	}
}

func TestOfADamagedFileEverythingIsSavedThatCanBeRead(t *testing.T) {
	const reports = 800
	pages := func(t *testing.T, directory, table string) []int64 {
		t.Helper()
		return pagesOf(t, filepath.Join(directory, store.FileName), table)
	}
	tests := []struct {
		name   string
		damage func(t *testing.T, directory string)
		lost   []string
		// least of the reports that wait must be there.
		least int
	}{
		{"its root of the calls", func(t *testing.T, directory string) {
			scribble(t, filepath.Join(directory, store.FileName), pages(t, directory, "calls")[0])
		}, []string{"calls"}, reports - 2},
		{"a page at the beginning of the outbox", func(t *testing.T, directory string) {
			scribble(t, filepath.Join(directory, store.FileName), pages(t, directory, "outbox")[1])
		}, []string{"outbox"}, reports - 100},
		{"its end cut off", func(t *testing.T, directory string) {
			path := filepath.Join(directory, store.FileName)
			info, err := os.Stat(path)
			if err == nil {
				err = os.Truncate(path, info.Size()-5*4096)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, nil, reports / 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			directory := filled(t, reports)
			test.damage(t, directory)
			s := open(t, directory)
			ids := waiting(t, s)
			damage := oneDamage(t, s)
			if saved := damage.Saved; saved["dead_letters"] != 1 || saved["deliveries"] != 1 || saved["ended_calls"] != 1 {
				t.Errorf("saved %v; what was refused and what was delivered is not all there", saved)
			}
			for _, table := range test.lost {
				if !slices.Contains(damage.Unreadable, table) {
					t.Errorf("it is not said that %s was lost from: %v", table, damage.Unreadable)
				}
			}
			if len(ids) < test.least || damage.Saved["outbox"] != len(ids) {
				t.Errorf("%d reports wait, of which %d were saved; want %d at least", len(ids), damage.Saved["outbox"], test.least)
			}
			if ids[0] < 3 || ids[len(ids)-1] > reports {
				t.Errorf("the reports have the ids %d to %d, want theirs of before", ids[0], ids[len(ids)-1])
			}
			calls, _, err := s.OpenCalls(t.Context())
			if want := !slices.Contains(test.lost, "calls"); err != nil || (len(calls) == 1) != want {
				t.Errorf("calls in progress: %v, error %v", calls, err)
			}
			commit(t, s, bridge.Batch{Reports: []bridge.Report{report("new", bridge.ReportStarted)}})
			if id := head(t, s, "new").ID; id <= reports {
				t.Errorf("a new report has the id %d of another", id)
			}
			if heard, err := s.LastHeard(t.Context()); err != nil || !heard.Equal(moment) {
				t.Errorf("when the switch was heard: %v, error %v", heard, err)
			}
			if _, _, found, err := s.ClickToCallFor(t.Context(), "ordered"); !found || err != nil {
				t.Errorf("the order is forgotten: error %v", err)
			}
			if identity, found, err := s.Identity(t.Context(), "call0"); !found || err != nil || identity.ExternalID != "e" {
				t.Errorf("the identity is forgotten: %v, error %v", identity, err)
			}
		})
	}
}

func TestAReplacementThatWasBrokenOffIsFinished(t *testing.T) {
	const stamp = "20260322T103835Z"
	path := func(directory, suffix string) string { return filepath.Join(directory, store.FileName+suffix) }
	move := func(t *testing.T, from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	steps := map[string]func(t *testing.T, directory string){
		"while it was filled": func(t *testing.T, directory string) {
			for _, suffix := range []string{".new", ".new-journal"} {
				if err := os.WriteFile(path(directory, suffix), []byte("half"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		"before the damaged one was moved": func(t *testing.T, directory string) {
			good, err := os.ReadFile(path(directory, ""))
			if err == nil {
				err = os.WriteFile(path(directory, ".replaces-"+stamp), good, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			scribble(t, path(directory, ""), 1)
		},
		"before the new one was in place": func(t *testing.T, directory string) {
			move(t, path(directory, ""), path(directory, ".replaces-"+stamp))
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			directory := filled(t, 10)
			step(t, directory)
			s := open(t, directory)
			if got := len(waiting(t, s)); got != 8 {
				t.Errorf("%d reports wait, want 8", got)
			}
			left, err := filepath.Glob(path(directory, ".[nr]*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, error %v", left, err)
			}
		})
	}
}

// openUntended opens a store that the test closes itself.
func openUntended(t *testing.T, directory string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustBeDamaged sees that a store which was found damaged says so, and is not used any more.
func mustBeDamaged(t *testing.T, s *store.Store, found error) {
	t.Helper()
	if !errors.Is(found, bridge.ErrStoreDamaged) || store.FaultOf(found) != store.Damaged {
		t.Errorf("who came across the damage got %v, want %v", found, bridge.ErrStoreDamaged)
	}
	select {
	case <-s.Damaged():
	default:
		t.Error("the store does not say that it is damaged")
	}
	if !errors.Is(s.DamageError(), bridge.ErrStoreDamaged) {
		t.Errorf("the cause is %v", s.DamageError())
	}
	if _, err := s.Commit(t.Context(), bridge.Batch{Ended: []bridge.CallID{"late"}}); !errors.Is(err, bridge.ErrStoreDamaged) {
		t.Errorf("a write afterwards: %v", err)
	}
	if _, _, err := s.OpenCalls(t.Context()); !errors.Is(err, bridge.ErrStoreDamaged) {
		t.Errorf("a read afterwards: %v", err)
	}
	if damages := s.Rescued(); len(damages) > 0 {
		t.Errorf("damages are listed that were not mended: %+v", damages)
	}
}

// restartAfter closes a store that was found damaged, and opens the one that replaces it.
func restartAfter(t *testing.T, s *store.Store, directory string, found error) *store.Store {
	t.Helper()
	mustBeDamaged(t, s, found)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return open(t, directory)
}

func TestAFileThatIsDamagedWhileItIsUsedIsReplacedByTheNextStart(t *testing.T) {
	finders := map[string]func(t *testing.T, s *store.Store) error{
		"a read": func(t *testing.T, s *store.Store) error {
			_, _, _, err := s.WaitingCalls(t.Context(), 0, 1000)
			return err
		},
		"a write": func(t *testing.T, s *store.Store) error {
			pending := bridge.Pending{ID: 600, Report: report("call599", bridge.ReportStarted)}
			for range 2 {
				if err := s.RecordResults(t.Context(), []bridge.Sent{{Pending: pending, Result: bridge.Result{Verdict: bridge.Delivered}}}); err != nil {
					return err
				}
				pending.ID = 200
			}
			return nil
		},
		"the inspection": func(t *testing.T, s *store.Store) error { return s.Inspect(t.Context()) },
	}
	for name, find := range finders {
		t.Run(name, func(t *testing.T) {
			directory := filled(t, 800)
			path := filepath.Join(directory, store.FileName)
			before := reports(t, directory)
			pages := pagesOf(t, path, "outbox")
			s := openUntended(t, directory)
			scribble(t, path, pages[1:len(pages)/2]...)
			damaged, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s = restartAfter(t, s, directory, find(t, s))
			damage := oneDamage(t, s)
			if kept, err := os.ReadFile(damage.Aside); err != nil || !bytes.Equal(kept, damaged) {
				t.Errorf("the damaged file is not in %s as it was: error %v", damage.Aside, err)
			}
			if log, err := os.Stat(damage.Aside + "-wal"); name == "a write" && (err != nil || log.Size() == 0) {
				t.Errorf("its log is not beside it: error %v", err)
			}
			ids := waiting(t, s)
			if len(ids) < 200 || damage.Saved["outbox"] != len(ids) {
				t.Errorf("%d reports wait, want those of the half that is whole", len(ids))
			}
			for _, id := range ids {
				if before[id] == "" {
					t.Errorf("report %d was not there", id)
				}
			}
			calls, _, err := s.OpenCalls(t.Context())
			if err != nil || len(calls) != 1 || string(calls[0].State) != "state" {
				t.Errorf("calls in progress: %v, error %v", calls, err)
			}
			commit(t, s, bridge.Batch{Reports: []bridge.Report{report("new", bridge.ReportStarted)}})
			if id := head(t, s, "new").ID; id <= 800 {
				t.Errorf("a new report has the id %d of another", id)
			}
		})
	}
}

// What a crash leaves may be damaged while a part of it is in the log alone.
func TestAStartLeavesADamagedFileAndItsLogAsTheyWere(t *testing.T) {
	from, crashed := filled(t, 10), t.TempDir()
	s := open(t, from)
	commit(t, s, bridge.Batch{Reports: []bridge.Report{report("call", bridge.ReportStarted)}})
	for _, ending := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, store.FileName+ending))
		if err := errors.Join(err, os.WriteFile(filepath.Join(crashed, store.FileName+ending), content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(crashed, store.FileName)
	scribble(t, path, pagesOf(t, filepath.Join(from, store.FileName), "ended_calls")...)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damage := oneDamage(t, open(t, crashed))
	after, err := os.ReadFile(damage.Aside)
	log, looked := os.Stat(damage.Aside + "-wal")
	if err := errors.Join(err, looked); err != nil || !bytes.Equal(before, after) || log.Size() == 0 {
		t.Errorf("the damaged file is the same: %v, error %v", bytes.Equal(before, after), err)
	}
}

// The quick look of a start reads no page of the events but the first and the last.
func TestADamageThatAStartDoesNotComeAcrossIsRemembered(t *testing.T) {
	directory := filled(t, 800)
	path := filepath.Join(directory, store.FileName)
	pages := pagesOf(t, path, "events")
	scribble(t, path, pages[len(pages)/2])
	s := openUntended(t, directory)
	if damages := s.Rescued(); len(damages) > 0 {
		t.Fatalf("the start came across the damage: %+v", damages)
	}
	mustBeDamaged(t, s, s.Inspect(t.Context()))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s = openUntended(t, directory)
	damage := oneDamage(t, s)
	if !strings.Contains(damage.Cause.Error(), "events") || !slices.Equal(damage.Unreadable, []string{"events"}) || len(waiting(t, s)) != 798 {
		t.Errorf("the damage is %+v", damage)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if damages := open(t, directory).Rescued(); len(damages) > 0 {
		t.Errorf("a file that is whole was replaced: %+v", damages)
	}
}

// A process may end between any two steps of a rescue.
func TestANoteIsNotTakenForOneAboutTheNewFile(t *testing.T) {
	directory := filled(t, 10)
	path := filepath.Join(directory, store.FileName)
	good, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path+".replaces-20260322T103835Z", good, 0o600)
	}
	if err := errors.Join(err, os.WriteFile(path+".is-damaged", []byte("a read said so"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s := open(t, directory)
	if damage := oneDamage(t, s); damage.Saved != nil || len(waiting(t, s)) != 8 {
		t.Errorf("the new file was replaced as well: %+v", damage)
	}
}

func TestNothingIsAcceptedOnceDamageWasFound(t *testing.T) {
	directory := filled(t, 800)
	path := filepath.Join(directory, store.FileName)
	pages := pagesOf(t, path, "events")
	s := openUntended(t, directory)
	committed := make(chan map[int64]bool, 1)
	go func() {
		ids := make(map[int64]bool)
		for n := 0; ; n++ {
			batch := bridge.Batch{Reports: []bridge.Report{report(bridge.CallID(fmt.Sprint("during", n)), bridge.ReportStarted)}}
			pending, err := s.Commit(context.Background(), batch)
			if err != nil {
				committed <- ids
				return
			}
			ids[pending[0].ID] = true
		}
	}()
	scribble(t, path, pages[1:len(pages)/2]...)
	found := s.Inspect(t.Context())
	accepted := <-committed
	s = restartAfter(t, s, directory, found)
	oneDamage(t, s)
	ids := waiting(t, s)
	if want := 798 + len(accepted); len(slices.Compact(ids)) != want {
		t.Errorf("%d reports wait, want %d, each with an id of its own", len(ids), want)
	}
	for id := range accepted {
		if !slices.Contains(ids, id) {
			t.Errorf("report %d was accepted and is lost", id)
		}
	}
}

func TestAFileThatIsDamagedAgainAtOnceIsLeftAlone(t *testing.T) {
	directory := filled(t, 100)
	path := filepath.Join(directory, store.FileName)
	scribble(t, path, pagesOf(t, path, "outbox")...)
	s := openUntended(t, directory)
	oneDamage(t, s)
	commit(t, s, bridge.Batch{Reports: []bridge.Report{report("new", bridge.ReportStarted)}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	scribble(t, path, pagesOf(t, path, "outbox")...)
	_, err := store.Open(t.Context(), directory)
	if store.FaultOf(err) != store.Damaged || !errors.Is(err, rescue.ErrAgain) || !strings.Contains(err.Error(), directory) {
		t.Errorf("the second damage within a minute: %v", err)
	}
	aside, err := filepath.Glob(path + ".damaged-*Z")
	if err != nil || len(aside) != 1 {
		t.Fatalf("moved aside: %v, error %v", aside, err)
	}
	// A minute later it is rescued all the same.
	if err := os.Rename(aside[0], path+".damaged-20260322T103835Z"); err != nil {
		t.Fatal(err)
	}
	oneDamage(t, open(t, directory))
}

func TestAQuarantinedFileIsReadAsFarAsItGoes(t *testing.T) {
	const events = 1000
	directory := filled(t, events)
	path := filepath.Join(directory, store.FileName)
	pages := pagesOf(t, path, "events")
	scribble(t, path, pages[len(pages)/2])
	aside := filepath.Join(directory, store.FileName+".damaged-20260322T103835Z")
	if err := os.Rename(path, aside); err != nil {
		t.Fatal(err)
	}
	history, err := store.OpenHistoryFile(aside)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := history.Close(); err != nil {
			t.Error(err)
		}
	}()
	visited := int64(0)
	err = history.Events(t.Context(), store.Range{First: 1, Last: events}, func(store.Event) error { visited++; return nil })
	unreadable, ok := errors.AsType[*store.UnreadableError](err)
	if !ok {
		t.Fatalf("reading a damaged journal: %v", err)
	}
	missed := int64(0)
	for _, part := range unreadable.Parts {
		missed += part.Last - part.First + 1
	}
	if visited+missed != events || missed == 0 || missed > 40 {
		t.Errorf("%d events were read and %d not (%v), of %d", visited, missed, err, events)
	}

	scribble(t, aside, 1)
	if history, err := store.OpenHistoryFile(aside); err == nil || !strings.Contains(err.Error(), "nothing can be read") {
		t.Errorf("a file without a beginning: %v %v", history, err)
	}
}
