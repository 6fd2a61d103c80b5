package tracker_test

import (
	"hash/crc32"
	"strings"
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
)

// scenario is a script of a switch's events and the reports that must come of it.
type scenario struct {
	name   string
	policy tracker.Policy
	script string
	want   string
}

// playScenarios plays scenarios and compares the reports. It also checks what holds of any
// scenario: the ledger accepts the reports, every event may come twice, a restart may come
// anywhere, and nothing is remembered in the end.
func playScenarios(t *testing.T, scenarios []scenario) {
	t.Helper()
	people := pbxtest.Office()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			events := play(t, s.script)
			l := newListener(people, s.policy)
			if err := l.hearAll(events); err != nil {
				t.Fatal(err)
			}
			want := wanted(s.want)
			got := pbxtest.Transcript(l.reports, pbxtest.Midnight)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("reports:\n  %s\nwant:\n  %s\nnotes: %v", strings.Join(got, "\n  "), strings.Join(want, "\n  "), l.notes)
			}
			mayComeTwice(t, people, s.policy, events, asJSON(t, l.reports))
			mayRestartAnywhere(t, people, s.policy, events, asJSON(t, l.reports), 1)
			if err := l.hangUp(); err != nil {
				t.Error(err)
			}
		})
	}
}

// play reads a script; one that can't be read fails the test.
func play(t testing.TB, script string) []bridge.Event {
	t.Helper()
	events, err := pbxtest.Play(script)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func wanted(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func mayComeTwice(t *testing.T, people *directory.Directory, policy tracker.Policy, events []bridge.Event, want string) {
	t.Helper()
	l := newListener(people, policy)
	for _, event := range events {
		if err := l.hearAll([]bridge.Event{event, event}); err != nil {
			t.Fatalf("with every event twice: %v", err)
		}
	}
	if got := asJSON(t, l.reports); got != want {
		t.Errorf("with every event twice:\n%s\nwant\n%s", strings.Join(pbxtest.Transcript(l.reports, pbxtest.Midnight), "\n"), want)
	}
}

// mayRestartAnywhere restarts before each event, or only before every step-th one. Then the
// first depends on the reports, so that captures that share their beginning differ in it.
func mayRestartAnywhere(t *testing.T, people *directory.Directory, policy tracker.Policy, events []bridge.Event, want string, step int) {
	t.Helper()
	for at := int(crc32.ChecksumIEEE([]byte(want))) % step; at < len(events); at += step {
		l := newListener(people, policy)
		if err := l.hearAll(events[:at]); err != nil {
			t.Fatal(err)
		}
		if err := l.restart(); err != nil {
			t.Fatalf("restart before event %d: %v", at, err)
		}
		if err := l.hearAll(events[at:]); err != nil {
			t.Fatalf("after a restart before event %d: %v", at, err)
		}
		if got := asJSON(t, l.reports); got != want {
			t.Fatalf("after a restart before event %d:\n%s\nwant\n%s", at, got, want)
		}
	}
}
