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
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// oneDamage is the only damage that a store has found.
func oneDamage(t *testing.T, s *store.Store) store.Damage {
	t.Helper()
	damages := s.Damages()
	if len(damages) != 1 {
		t.Fatalf("%d damages are told, want 1: %+v", len(damages), damages)
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

func TestAFileThatIsDamagedWhileItIsUsedIsReplaced(t *testing.T) {
	finders := map[string]func(t *testing.T, s *store.Store){
		"a read": func(t *testing.T, s *store.Store) { waiting(t, s) },
		"a write": func(t *testing.T, s *store.Store) {
			if _, err := s.Collapse(t.Context(), []bridge.CallID{"call5"}); err != nil {
				t.Error(err)
			}
			settle(t, s, bridge.Pending{ID: 600, Report: report("call599", bridge.ReportStarted)}, bridge.Result{Verdict: bridge.Delivered})
		},
		"the inspection": func(t *testing.T, s *store.Store) {
			if err := s.Inspect(t.Context()); err != nil {
				t.Error(err)
			}
		},
	}
	for name, find := range finders {
		t.Run(name, func(t *testing.T) {
			directory := filled(t, 800)
			path := filepath.Join(directory, store.FileName)
			pages := pagesOf(t, path, "outbox")
			s := open(t, directory)
			var told []store.Damage
			s.TellDamage(func(damage store.Damage) { told = append(told, damage) })
			scribble(t, path, pages[1:len(pages)/2]...)
			find(t, s)
			oneDamage(t, s)
			if len(told) != 1 {
				t.Errorf("told of %d damages", len(told))
			}
			if left := len(waiting(t, s)); left < 200 {
				t.Errorf("%d reports wait, want those of the half that is whole", left)
			}
			batch := bridge.Batch{Changed: []bridge.CallState{{Call: "open", State: []byte("now")}}}
			if _, err := s.Commit(t.Context(), batch); !errors.Is(err, bridge.ErrStoreReplaced) {
				t.Fatalf("the writer of the journal is told %v, want %v", err, bridge.ErrStoreReplaced)
			}
			commit(t, s, batch)
			open, _, err := s.OpenCalls(t.Context())
			if diff := cmp.Diff(batch.Changed, open); diff != "" || err != nil {
				t.Errorf("calls in progress (-want +got):\n%s\nerror %v", diff, err)
			}
		})
	}
}

func TestWhatIsCommittedWhileTheFileIsReplacedIsKept(t *testing.T) {
	directory := filled(t, 800)
	path := filepath.Join(directory, store.FileName)
	pages := pagesOf(t, path, "events")
	s := open(t, directory)
	const batches = 100
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			for n := range batches {
				batch := bridge.Batch{Reports: []bridge.Report{report(bridge.CallID(fmt.Sprint("during", n)), bridge.ReportStarted)}}
				_, err := s.Commit(context.Background(), batch)
				if errors.Is(err, bridge.ErrStoreReplaced) {
					_, err = s.Commit(context.Background(), batch)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	scribble(t, path, pages[1:len(pages)/2]...)
	if err := s.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	oneDamage(t, s)
	ids := waiting(t, s)
	if want := 798 + batches; len(slices.Compact(ids)) != want {
		t.Errorf("%d reports wait, want %d, each with an id of its own", len(ids), want)
	}
}

func TestAFileThatIsDamagedAgainAtOnceIsLeftAlone(t *testing.T) {
	directory := filled(t, 100)
	path := filepath.Join(directory, store.FileName)
	s := open(t, directory)
	for n := range 2 {
		scribble(t, path, pagesOf(t, path, "outbox")...)
		// What the readers have in memory is not of use any more after a write.
		if err := s.SetLastHeard(t.Context(), moment.Add(time.Duration(n)*time.Second)); err != nil {
			t.Fatal(err)
		}
		_, _, _, err := s.WaitingCalls(t.Context(), 0, 1000)
		if damages := len(s.Damages()); damages != 1 {
			t.Fatalf("%d damages, error %v", damages, err)
		}
	}
	_, _, _, err := s.WaitingCalls(t.Context(), 0, 1000)
	if store.FaultOf(err) != store.Damaged || !strings.Contains(err.Error(), directory) {
		t.Errorf("the second damage within a minute: %v", err)
	}
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
	history, err := store.OpenHistoryFile(t.Context(), aside)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := history.Close(); err != nil {
			t.Error(err)
		}
	}()
	visited := int64(0)
	err = history.Entries(t.Context(), store.Range{First: 1, Last: events}, func(store.Event) error { visited++; return nil })
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
	if history, err := store.OpenHistoryFile(t.Context(), aside); err == nil || !strings.Contains(err.Error(), "nothing can be read") {
		t.Errorf("a file without a beginning: %v %v", history, err)
	}
}

func TestADamageOfBeforeTheListenerCameIsToldToIt(t *testing.T) {
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, store.FileName), bytes.Repeat([]byte("x"), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	told := 0
	open(t, directory).TellDamage(func(store.Damage) { told++ })
	if told != 1 {
		t.Errorf("told of %d damages, want 1", told)
	}
}
