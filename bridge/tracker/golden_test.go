package tracker_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker/pbxtest"
	"kontur-ari/internal/longtest"
)

var update = flag.Bool("update", false, "write the golden files")

// captured reads the events that a real Asterisk sent. It leaves out the types that package
// ari leaves out.
func captured(t *testing.T, path string) []bridge.Event {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var events []bridge.Event
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<22)
	for n := 1; lines.Scan(); n++ {
		if bytes.HasPrefix(lines.Bytes(), []byte("#")) {
			continue
		}
		event, err := ari.Decode(bytes.Clone(lines.Bytes()))
		if _, unknown := errors.AsType[*ari.UnknownTypeError](err); unknown {
			continue
		}
		if err != nil {
			t.Fatalf("%s, line %d: %v", path, n, err)
		}
		events = append(events, event)
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return events
}

func TestCapturesOfAsteriskAreReported(t *testing.T) {
	directory := pbxtest.Office()
	paths, err := filepath.Glob("../../e2e/testdata/captures/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		t.Run(name, func(t *testing.T) {
			events := captured(t, path)
			l := newListener(directory, allCalls)
			l.ledger.Orderly = true
			if err := l.hearAll(events); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, name, strings.Join(pbxtest.Transcript(l.reports, firstTime(events)), "\n")+"\n")
			mayComeTwice(t, directory, allCalls, events, asJSON(t, l.reports))
			mayRestartAnywhere(t, directory, allCalls, events, asJSON(t, l.reports), longtest.Count(10, 1))
			if err := l.hangUp(); err != nil {
				t.Error(err)
			}
		})
	}
}

func firstTime(events []bridge.Event) time.Time {
	for _, event := range events {
		if !event.Time.IsZero() {
			return event.Time
		}
	}
	return pbxtest.Midnight
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no golden file: run go test ./bridge/tracker -run %s -update and read what it wrote: %v", t.Name(), err)
	}
	if got != string(want) {
		t.Errorf("reports:\n%s\nwant, from %s:\n%s", got, path, want)
	}
}
