package store_test

import (
	"errors"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// limited calls do while this process can write to no place of a file beyond the first page.
func limited(t *testing.T, do func()) {
	t.Helper()
	// By default the process would end.
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}()
	do()
}

// An operator may have noted the id of a report whose rows are gone.
func TestNoReportHasTheIDOfOneThatWasRemovedAfterADiskThatFailed(t *testing.T) {
	directory := t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	commitKinds(t, s, "1.1", overKinds)
	last := int64(0)
	for range overKinds {
		pending := head(t, s, "1.1")
		last = pending.ID
		settle(t, s, pending, bridge.Result{Verdict: bridge.Delivered})
	}
	later := time.Now().Add(time.Hour)
	limited(t, func() {
		if err := s.Prune(t.Context(), later); err == nil {
			t.Error("the removal did not fail")
		}
	})
	if err := errors.Join(s.Prune(t.Context(), later), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, directory)
	commit(t, s, bridge.Batch{Reports: []bridge.Report{report("2.1", bridge.ReportStarted)}})
	if id := head(t, s, "2.1").ID; id <= last {
		t.Errorf("a new report has the id %d, which was another's; the last was %d", id, last)
	}
}
