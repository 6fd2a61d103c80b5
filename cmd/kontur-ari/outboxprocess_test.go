package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// asProgram is the environment variable that makes the test binary run as the program.
const asProgram = "KONTUR_ARI_TEST_AS_PROGRAM"

// program runs a command as a process of its own.
func program(t testing.TB, args ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func TestDeadLettersAreRetriedByAnotherProcessWhileTheDaemonWrites(t *testing.T) {
	o := newOffice(t)
	s, err := store.Open(t.Context(), o.directory)
	if err != nil {
		t.Fatal(err)
	}
	many := 5000
	if raceDetected {
		many = 1000
	}
	deadAndWaiting(t, s, many)
	work := startWork(s)

	began := time.Now()
	output, err := program(t, "outbox", "retry", "--all", "--config", o.config)
	took := time.Since(began)
	if want := fmt.Sprintf("%d dead letters of %d calls to be sent again", many, many); err != nil || !strings.Contains(output, want) {
		t.Errorf("retry: error %v, output does not say %q: %s", err, want, output)
	}
	done := work.stop()
	if done.err != nil || done.writes == 0 {
		t.Errorf("the daemon wrote %d times, error %v", done.writes, done.err)
	}
	t.Logf("retried in %v; in that time %d writes, the longest took %v", took, done.writes, done.longest)

	dead, err := s.DeadLetters(t.Context())
	if err != nil || dead != 0 {
		t.Errorf("%d dead letters are left, error %v", dead, err)
	}
	calls, err := s.RetriedCalls(t.Context())
	if err != nil || len(calls) != many {
		t.Fatalf("%d calls have dead letters that were put back, error %v; want %d", len(calls), err, many)
	}
	waiting, err := s.OldestWaiting(t.Context(), calls, 10)
	if err != nil || len(waiting) != 2*many {
		t.Fatalf("%d reports wait, error %v; want %d", len(waiting), err, 2*many)
	}
	for i, p := range waiting {
		if want := []bridge.ReportKind{bridge.ReportStarted, bridge.ReportFinished}[i%2]; p.Report.Kind != want || i%2 == 1 && p.Report.Call != waiting[i-1].Report.Call {
			t.Fatalf("report %d of call %s is a %s, want %s", p.ID, p.Report.Call, p.Report.Kind, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// work is the load of a busy daemon on its store: one write after another.
type work struct {
	cancel context.CancelFunc
	ended  chan workDone
}

type workDone struct {
	writes  int
	longest time.Duration
	err     error
}

func startWork(s *store.Store) *work {
	ctx, cancel := context.WithCancel(context.Background())
	w := &work{cancel: cancel, ended: make(chan workDone, 1)}
	go func() {
		var done workDone
		for ctx.Err() == nil {
			began := time.Now()
			done.err = errors.Join(done.err, reportOnce(context.WithoutCancel(ctx), s))
			done.longest = max(done.longest, time.Since(began))
			done.writes += 2
		}
		w.ended <- done
	}()
	return w
}

func (w *work) stop() workDone {
	w.cancel()
	return <-w.ended
}

// reportOnce commits a report and settles it.
func reportOnce(ctx context.Context, s *store.Store) error {
	pending, err := s.Commit(ctx, bridge.Batch{Reports: []bridge.Report{{Kind: bridge.ReportStarted, Call: "busy"}}})
	if err != nil {
		return err
	}
	return s.RecordResults(ctx, []bridge.Sent{{Pending: pending[0], Result: bridge.Result{Verdict: bridge.Delivered, Status: 200}}})
}

func TestAnotherUserIsAdvisedToBeRootOrTheService(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	o := filled(t)
	if err := os.Chmod(o.directory, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Chmod(o.directory, 0o700); err != nil {
			t.Error(err)
		}
	})
	if code, _, stderr := o.outbox(t, "list"); code != exitFailure || !strings.Contains(stderr, "do this as root, or as the user of the service") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
