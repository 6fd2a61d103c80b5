package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// A report was about to be sent. The process that sends it counts it by its result. The
// next process counts it as possibly delivered.
func TestAReportAboutToBeSentMayHaveBeenDelivered(t *testing.T) {
	const within = time.Minute
	for _, test := range []struct {
		name            string
		noted, restart  bool
		settle          *bridge.Result
		age             time.Duration
		uncertain, kept bool
	}{
		{"not tried", false, false, nil, 0, false, false},
		{"noted, and not tried", true, false, nil, 0, false, false},
		{"noted, and it did not get there", true, false, &bridge.Result{Verdict: bridge.Retry, NotTaken: true}, 0, false, false},
		{"noted, and who knows", true, false, &bridge.Result{Verdict: bridge.Retry}, 0, true, true},
		{"an end while it was tried", true, true, nil, 2 * within, true, true},
		{"an end after it did not get there", true, true, &bridge.Result{Verdict: bridge.Retry, NotTaken: true}, 2 * within, false, false},
		{"an end when it was young", false, true, nil, within / 2, true, true},
		{"an end when it was old and not tried", false, true, nil, 2 * within, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory, left := t.TempDir(), t.TempDir()
			t.Run("tried", func(t *testing.T) {
				s := open(t, directory)
				commitKinds(t, s, "1.1", overKinds)
				first := head(t, s, "1.1")
				if test.noted {
					if err := s.MarkInFlight(t.Context(), []int64{first.ID}); err != nil {
						t.Fatal(err)
					}
				}
				if test.settle != nil {
					settle(t, s, first, *test.settle)
				}
				if err := s.SetLastHeard(t.Context(), time.Now().Add(test.age)); err != nil {
					t.Fatal(err)
				}
				copyFiles(t, directory, left)
				if !test.restart {
					check(t, s, test.uncertain, test.kept)
				}
			})
			if !test.restart {
				return
			}
			s := open(t, left)
			if err := s.MarkUncertain(t.Context(), within); err != nil {
				t.Fatal(err)
			}
			check(t, s, test.uncertain, test.kept)
		})
	}
}

// copyFiles copies a store as a crash would leave it.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	for _, ending := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(from, store.FileName+ending))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, store.FileName+ending), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A stopped process has recorded the result of each request, so the next start doubts no
// report. That start forgets the stop: after a crash, reports are doubted again.
func TestAStopLeavesNoDoubt(t *testing.T) {
	directory, left := t.TempDir(), t.TempDir()
	t.Run("stopped", func(t *testing.T) {
		s := open(t, directory)
		commitKinds(t, s, "1.1", overKinds)
		if err := s.MarkStopped(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a start that fails", func(t *testing.T) { open(t, directory) })
	s := open(t, directory)
	if err := s.MarkUncertain(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if head(t, s, "1.1").Uncertain {
		t.Error("after a stop it is doubted what was not tried")
	}
	copyFiles(t, directory, left)
	s = open(t, left)
	if err := s.MarkUncertain(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if !head(t, s, "1.1").Uncertain {
		t.Error("after a crash nothing is doubted, since there was a stop before")
	}
}

// A start that fails before MarkUncertain leaves the doubt to the next start.
func TestAFailedStartLeavesTheDoubt(t *testing.T) {
	directory, left := t.TempDir(), t.TempDir()
	t.Run("crashed", func(t *testing.T) {
		commitKinds(t, open(t, directory), "1.1", overKinds)
		copyFiles(t, directory, left)
	})
	t.Run("a start that fails", func(t *testing.T) { open(t, left) })
	s := open(t, left)
	if err := s.MarkUncertain(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if !head(t, s, "1.1").Uncertain {
		t.Error("after a crash and a start that failed nothing is doubted")
	}
}

// The new process may write before it calls MarkUncertain. That does not hide the end of the
// last process, and the new reports are not doubted.
func TestADoubtIsAboutTheLastProcess(t *testing.T) {
	directory, left := t.TempDir(), t.TempDir()
	t.Run("crashed", func(t *testing.T) {
		commitKinds(t, open(t, directory), "1.1", overKinds)
		copyFiles(t, directory, left)
	})
	s := open(t, left)
	commitKinds(t, s, "2.1", overKinds)
	if err := s.SetLastHeard(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.MarkUncertain(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if !head(t, s, "1.1").Uncertain || head(t, s, "2.1").Uncertain {
		t.Errorf("before the crash %+v, after it %+v", head(t, s, "1.1"), head(t, s, "2.1"))
	}
}

// A report that is no longer JSON does not keep other reports from being doubted. Reading it
// causes the file to be replaced.
func TestADoubtGoesAroundADamage(t *testing.T) {
	directory := t.TempDir()
	t.Run("before", func(t *testing.T) {
		s := open(t, directory)
		commitKinds(t, s, "1.1", overKinds)
		commitKinds(t, s, "2.1", overKinds)
	})
	turnBit(t, filepath.Join(directory, store.FileName), `{"kind":"call-event","call";"1.1"`)
	s := openUntended(t, directory)
	if err := s.MarkUncertain(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, call := range []bridge.CallID{"1.1", "2.1"} {
		if !head(t, s, call).Uncertain {
			t.Errorf("the beginning of call %s is not doubted", call)
		}
	}
	_, err := s.OldestWaiting(t.Context(), []bridge.CallID{"1.1"}, 10)
	s = restartAfter(t, s, directory, err)
	oneDamage(t, s)
	if left := mustNext(t, s, "1.1"); len(left) != len(overKinds)-1 || !left[0].Uncertain {
		t.Errorf("waiting after it: %+v", left)
	}
}

// check checks whether the first report of an ended call counts as possibly delivered, and
// whether all reports of the call stay because of that.
func check(t *testing.T, s interface {
	bridge.Outbox
	bridge.Journal
}, uncertain, kept bool) {
	t.Helper()
	waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{"1.1"}, 1)
	if err != nil || len(waiting) != 1 || waiting[0].Uncertain != uncertain {
		t.Errorf("waiting: %+v, error %v", waiting, err)
	}
	want := len(overKinds) - 1
	if kept {
		want = 0
	}
	if collapsed, err := s.Collapse(t.Context(), []bridge.CallID{"1.1"}); err != nil || collapsed != want {
		t.Errorf("%d reports are left out, want %d, error %v", collapsed, want, err)
	}
}

// Only the calls that began last are doubted, and only the call-started of each.
func TestADoubtGoesBackNoFurtherThanItMust(t *testing.T) {
	directory, left := t.TempDir(), t.TempDir()
	t.Run("before", func(t *testing.T) {
		s := open(t, directory)
		for i := range 6 {
			commitKinds(t, s, bridge.CallID(fmt.Sprint("call", i)), goingKinds)
		}
		copyFiles(t, directory, left)
	})
	spoil(t, left, "UPDATE outbox SET committed = 1000000 + 1000 * id")
	s := open(t, left)
	// The last is of 1018.
	if err := s.MarkUncertain(t.Context(), 4*time.Second); err != nil {
		t.Fatal(err)
	}
	var doubted []string
	for i := range 6 {
		waiting, err := s.OldestWaiting(t.Context(), []bridge.CallID{bridge.CallID(fmt.Sprint("call", i))}, 9)
		if err != nil {
			t.Fatal(err)
		}
		for _, pending := range waiting {
			if pending.Uncertain {
				doubted = append(doubted, fmt.Sprint(pending.Report.Call, " ", pending.Report.Kind))
			}
		}
	}
	if diff := cmp.Diff([]string{"call5 call-started"}, doubted); diff != "" {
		t.Errorf("doubted (-want +got):\n%s", diff)
	}
}
