package intake

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
)

func observedNotes() (*notes, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	return newNotes(zap.New(core)), logs
}

// lines are the log lines, each as "call channel reason".
func lines(t *testing.T, logs *observer.ObservedLogs) (all []string) {
	t.Helper()
	for _, entry := range logs.All() {
		fields := entry.ContextMap()
		if entry.Level != zap.WarnLevel || len(fields) != 3 {
			t.Errorf("line %q of level %s with %v", entry.Message, entry.Level, fields)
		}
		all = append(all, fmt.Sprint(fields["call"], " ", fields["channel"], " ", fields["reason"]))
	}
	return all
}

func TestANoteIsLoggedAndCountedOnceForEachCallAndReason(t *testing.T) {
	n, logs := observedNotes()
	for range 3 {
		n.take(tracker.Note{Call: "1", Channel: "1.1", Reason: "one"})
		n.take(tracker.Note{Call: "1", Channel: "1.2", Reason: "one"})
		n.take(tracker.Note{Call: "1", Channel: "1.1", Reason: "two"})
		n.take(tracker.Note{Call: "2", Channel: "2.1", Reason: "one"})
	}
	if diff := cmp.Diff([]string{"1 1.1 one", "1 1.1 two", "2 2.1 one"}, lines(t, logs)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"one": 2, "two": 1}, n.counts()); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

func TestACallThatIsOverIsForgottenByTheNotes(t *testing.T) {
	n, logs := observedNotes()
	for range 2 * mostRemembered {
		n.take(tracker.Note{Call: "1", Reason: "one"})
		n.take(tracker.Note{Call: "1", Reason: "two"})
		n.forget("1")
		n.forget("never noted")
	}
	if len(n.logged) != 0 || n.size != 0 {
		t.Errorf("%d calls are remembered, %d reasons", len(n.logged), n.size)
	}
	if got := logs.Len(); got != 4*mostRemembered {
		t.Errorf("%d lines", got)
	}
}

func TestNotesTakeNoMoreMemoryThanTheyMay(t *testing.T) {
	n, _ := observedNotes()
	for i := range 3 * mostRemembered {
		n.take(tracker.Note{Call: bridge.CallID(fmt.Sprint(i)), Reason: fmt.Sprint("reason ", i%1000)})
	}
	if len(n.logged) > mostRemembered || n.size > mostRemembered {
		t.Errorf("%d calls are remembered, %d reasons", len(n.logged), n.size)
	}
	counts := n.counts()
	if len(counts) > mostReasons+1 {
		t.Errorf("%d reasons are counted apart", len(counts))
	}
	var sum int64
	for _, count := range counts {
		sum += count
	}
	if sum != 3*mostRemembered || counts[otherReasons] == 0 {
		t.Errorf("%d notes are counted, want %d: %v", sum, 3*mostRemembered, counts)
	}
}
