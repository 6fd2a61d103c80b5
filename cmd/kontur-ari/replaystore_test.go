package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

// recorder is a store that remembers the reports committed to it.
type recorder struct {
	*store.Store
	file    string
	reports []bridge.Report
}

func (r *recorder) Commit(ctx context.Context, batch bridge.Batch) ([]bridge.Pending, error) {
	r.reports = append(r.reports, batch.Reports...)
	return r.Store.Commit(ctx, batch)
}

func newRecorder(t testing.TB) *recorder {
	t.Helper()
	directory := t.TempDir()
	db, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return &recorder{Store: db, file: filepath.Join(directory, store.FileName)}
}

// hear processes events as the daemon does between a start and a stop.
func (r *recorder) hear(t testing.TB, raws ...[]byte) {
	t.Helper()
	cfg, err := configs.Interpretation(officeConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	directory, err := setup.Directory(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tracker, err := setup.Tracker(t.Context(), directory, cfg, r.Store, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	taker := intake.New(tracker, r, func([]bridge.Pending) {}, zap.NewNop())
	for _, raw := range raws {
		// What the daemon is not sent, or does not understand, it does not store.
		if event, err := ari.Decode(raw); err == nil {
			taker.Put(event)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := taker.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// reported returns the committed reports of one call, or of all for "", as replay
// writes them.
func (r *recorder) reported(t testing.TB, call bridge.CallID) string {
	t.Helper()
	var text bytes.Buffer
	for _, report := range r.reports {
		if call != "" && report.Call != call {
			continue
		}
		if err := json.NewEncoder(&text).Encode(report); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

func (r *recorder) calls() map[bridge.CallID]bool {
	calls := make(map[bridge.CallID]bool)
	for _, report := range r.reports {
		calls[report.Call] = true
	}
	return calls
}

var (
	uniqueID  = regexp.MustCompile(`\b(\d{10,13})(\.\d+)\b`)
	localName = regexp.MustCompile(`-[0-9a-f]{8}(;[12]|")`)
)

// ofOneSwitch makes the ids and names of a capture differ from those of the others.
// Each was taken from a new Asterisk, which counts from the beginning.
func ofOneSwitch(raw []byte, capture int) []byte {
	raw = uniqueID.ReplaceAll(raw, fmt.Appendf(nil, "${1}%03d$2", capture))
	return localName.ReplaceAllFunc(raw, func(name []byte) []byte {
		return fmt.Appendf(nil, "-%03x%s", capture, name[4:])
	})
}

// busyDay interleaves all captures: one event of each in turn.
func busyDay(t testing.TB) (events [][]byte) {
	t.Helper()
	paths, err := filepath.Glob(captures + "*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no captures in %s: %v", captures, err)
	}
	var days [][][]byte
	for i, path := range paths {
		day, err := aritest.ReadEvents(path)
		if err != nil {
			t.Fatal(err)
		}
		for n, raw := range day {
			day[n] = ofOneSwitch(raw, i)
		}
		days = append(days, day)
	}
	for left := true; left; {
		left = false
		for i, day := range days {
			if len(day) > 0 {
				events, days[i], left = append(events, day[0]), day[1:], true
			}
		}
	}
	return events
}

func TestAJournalGivesTheReportsThatTheDaemonMade(t *testing.T) {
	r := newRecorder(t)
	day := busyDay(t)
	r.hear(t, day[:len(day)/2]...)
	r.hear(t, day[len(day)/2:]...) // after a restart
	got, stderr := mustReplay(t, "", "--json", r.file)
	if diff := cmp.Diff(r.reported(t, ""), got); diff != "" {
		t.Errorf("reports (-daemon +replay):\n%s", diff)
	}
	if strings.Contains(stderr, "warning") {
		t.Errorf("a journal that is whole: %s", stderr)
	}
}

func TestACallOfAJournalGivesItsReportsAlsoAsAFixture(t *testing.T) {
	r := newRecorder(t)
	r.hear(t, busyDay(t)...)
	calls := slices.Sorted(maps.Keys(r.calls()))
	for i := 0; i < len(calls); i += 12 { // each takes a moment
		call := calls[i]
		want := r.reported(t, call)
		got, _ := mustReplay(t, "", "--json", "--call", string(call), r.file)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("call %s from the journal (-daemon +replay):\n%s", call, diff)
		}
		fixture, _ := mustReplay(t, "", "--events", "--call", string(call), r.file)
		for _, id := range uniqueID.FindAllString(fixture, -1) {
			if id[10:13] != string(call[10:13]) {
				t.Fatalf("call %s has the event of another: %s", call, id)
			}
		}
		got, _ = mustReplay(t, "# a case\n"+fixture, "--json", "--call", string(call), "-")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("call %s from its fixture (-daemon +replay):\n%s", call, diff)
		}
	}
}

func TestTheStoryOfATransferHasBothCallsAndTheTransfer(t *testing.T) {
	r := newRecorder(t)
	r.hear(t, busyDay(t)...)
	paths, err := filepath.Glob(captures + "*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	const transfer = captures + "attended_transfer.jsonl"
	captured, _ := mustReplay(t, "", "--events", transfer)
	want := string(ofOneSwitch([]byte(captured), slices.Index(paths, transfer)))
	call := uniqueID.FindString(want)
	fixture, _ := mustReplay(t, "", "--events", "--call", call, r.file)
	if diff := cmp.Diff(want, fixture); diff != "" {
		t.Errorf("the events of the transfer (-captured +chosen):\n%s", diff)
	}
}

const (
	begun    = `{"type":"ChannelCreated","timestamp":"2026-11-23T12:30:0%d.000+0000","channel":%s}`
	snapshot = `{"type":"KonturAriSnapshot","timestamp":"2026-11-23T12:30:%02d.000+0000","missed_since":"2026-11-23T12:30:%02d.000+0000","channels":[%s],"bridges":[]}`
	client   = `{"id":"1.1","name":"PJSIP/trunk-1","state":"Ring","linkedid":"1.1","caller":{"number":"79997775533"},"dialplan":{"exten":"78005550101"}}`
	other    = `{"id":"2.1","name":"PJSIP/trunk-2","state":"Ring","linkedid":"2.1","caller":{"number":"79997775534"},"dialplan":{"exten":"78005550102"}}`
	phone    = `{"id":"1.2","name":"PJSIP/101-1","state":"Down","linkedid":"1.1"}`
	dial     = `{"type":"Dial","timestamp":"2026-11-23T12:30:03.000+0000","dialstatus":"","caller":` + client + `,"peer":` + phone + `}`
	gone     = `{"type":"ChannelDestroyed","timestamp":"2026-11-23T12:30:%02d.000+0000","cause":16,"channel":%s}`
)

// lostConnection loses the connection during call 1.1. When it returns, the client and
// 101 are gone. Call 2.1 is first seen in a snapshot and ends in a later one.
func lostConnection() [][]byte {
	return [][]byte{
		fmt.Appendf(nil, snapshot, 0, 0, other),
		fmt.Appendf(nil, begun, 1, client),
		fmt.Appendf(nil, begun, 2, phone),
		[]byte(dial),
		fmt.Appendf(nil, snapshot, 20, 8, other),
		fmt.Appendf(nil, snapshot, 40, 40, ""),
		fmt.Appendf(nil, snapshot, 50, 50, ""),
	}
}

func TestSnapshotsBelongToTheCallsTheyBeginAndEnd(t *testing.T) {
	r := newRecorder(t)
	r.hear(t, lostConnection()...)
	for call, snapshots := range map[bridge.CallID]int{"1.1": 1, "2.1": 3} {
		want := r.reported(t, call)
		if !strings.Contains(want, "register-call") {
			t.Fatalf("call %s did not end:\n%s", call, want)
		}
		got, _ := mustReplay(t, "", "--json", "--call", string(call), r.file)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("call %s (-daemon +replay):\n%s", call, diff)
		}
		fixture, _ := mustReplay(t, "", "--events", "--call", string(call), r.file)
		if n := strings.Count(fixture, "KonturAriSnapshot"); n != snapshots {
			t.Errorf("call %s has %d snapshots, want %d:\n%s", call, n, snapshots, fixture)
		}
	}
}

func TestAnEndLearntFromASnapshotShowsInTheLadderAndTheReplay(t *testing.T) {
	r := newRecorder(t)
	r.hear(t, lostConnection()...)
	config := writeFile(t, "ladder.yaml", "storage: {directory: "+filepath.Dir(r.file)+"}\n")
	for call, words := range map[string]string{
		"1.1": "gone     PJSIP/101-1, PJSIP/trunk-1 found gone after Asterisk was not heard for 12s\n",
		"2.1": "gone     PJSIP/trunk-2 found gone after Asterisk was not heard for 0s\n",
	} {
		var ladder, stderr bytes.Buffer
		if code := run(t.Context(), []string{"ladder", "--config", config, call}, &ladder, &stderr); code != exitOK {
			t.Fatalf("exit code %d: %s", code, &stderr)
		}
		replay, _ := mustReplay(t, "", "--call", call, r.file)
		for _, text := range []string{ladder.String(), replay} {
			if !strings.Contains(text, words) || strings.Count(text, "found gone") != 1 {
				t.Errorf("call %s: %q is not shown, or something else is:\n%s", call, words, text)
			}
		}
	}
}

func TestACallThatEndedByItselfIsNotFoundGone(t *testing.T) {
	r := newRecorder(t)
	r.hear(t, fmt.Appendf(nil, begun, 1, client), fmt.Appendf(nil, snapshot, 10, 9, client),
		fmt.Appendf(nil, gone, 11, client), fmt.Appendf(nil, snapshot, 20, 12, ""))
	if text, _ := mustReplay(t, "", r.file); strings.Contains(text, "found gone") {
		t.Errorf("found gone what had ended by an event:\n%s", text)
	}
}

// The test cuts the journal itself, as Prune does when events are too old.
func TestAJournalThatIsCutSaysWhatItLacks(t *testing.T) {
	r := newRecorder(t)
	r.hear(t, busyDay(t)...)
	db, err := sql.Open("sqlite", r.file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "DELETE FROM events WHERE id <= 100")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	_, stderr := mustReplay(t, "", "--json", r.file)
	call := string(r.reports[0].Call)
	for _, words := range []string{"the oldest events were removed", "the beginning is missing of call ", call} {
		if !strings.Contains(stderr, words) {
			t.Errorf("standard error does not say %q:\n%s", words, stderr)
		}
	}
	if _, stderr := mustReplay(t, "", "--json", "--call", call, r.file); !strings.Contains(stderr, "the beginning is missing of call "+call) {
		t.Errorf("standard error of the call: %s", stderr)
	}
}

func TestAnEventWithoutATimeHasThatOfItsArrival(t *testing.T) {
	r := newRecorder(t)
	r.hear(t, []byte(`{"type":"ChannelCreated","timestamp":"soon","channel":`+client+`}`), fmt.Appendf(nil, snapshot, 20, 8, ""))
	if r.reported(t, "") == "" {
		t.Fatal("nothing was reported")
	}
	got, _ := mustReplay(t, "", "--json", r.file)
	if diff := cmp.Diff(r.reported(t, ""), got); diff != "" {
		t.Errorf("reports (-daemon +replay):\n%s", diff)
	}
}

func TestACopyOfAStoreMayHaveAnyName(t *testing.T) {
	r := newRecorder(t)
	r.hear(t, lostConnection()...)
	want := r.reported(t, "")
	if err := r.Store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "case 7?.backup")
	for _, suffix := range []string{"", "-wal"} {
		copyFile(t, r.file+suffix, copied+suffix)
	}
	t.Chdir(filepath.Dir(copied))
	got, _ := mustReplay(t, "", "--json", filepath.Base(copied))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reports (-daemon +replay):\n%s", diff)
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	target, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, source.Close(), target.Close()); err != nil {
		t.Fatal(err)
	}
}
