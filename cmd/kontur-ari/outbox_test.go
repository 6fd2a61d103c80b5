package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// office is a storage directory, and the configuration that names it.
type office struct{ directory, config string }

func newOffice(t testing.TB) office {
	t.Helper()
	directory := t.TempDir()
	return office{directory, writeFile(t, "office.yaml", fmt.Sprintf("storage: {directory: %q}\n", directory))}
}

// outbox runs an outbox command. Paths that differ from test to test are replaced.
func (o office) outbox(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append(append([]string{"outbox"}, args...), "--config", o.config), &out, &errs)
	named := strings.NewReplacer(o.config, "office.yaml", o.directory, "STORAGE")
	return code, named.Replace(out.String()), named.Replace(errs.String())
}

func (o office) mustOutbox(t testing.TB, args ...string) (stdout string) {
	t.Helper()
	code, stdout, stderr := o.outbox(t, args...)
	if code != exitOK || stderr != "" {
		t.Fatalf("outbox %v: exit code %d: %s", args, code, stderr)
	}
	return stdout
}

var (
	notFound = bridge.Result{
		Verdict: bridge.Refused, Status: 409, Reason: "HTTP 409: communicationNotFound: Communication not found. Id: …",
		Request: []byte(`{"externalId":"1795401475.25","type":"appeared","from":{"type":"client"}}`),
		Answer:  []byte(`{"status":"communicationNotFound","message":"Communication not found. Id: 435f7d1e"}`),
	}
	badPhone = bridge.Result{
		Verdict: bridge.Refused, Status: 400, Reason: "HTTP 400 Bad Request", Request: []byte(`{"clientPhone":"1"}`), Answer: []byte("<p>\x1b[2Jbad</p>"),
	}
	unsendable = bridge.Result{Verdict: bridge.Refused, Reason: "crm: call-failed can't be sent: no communicationId"}
	takenOK    = bridge.Result{Verdict: bridge.Delivered, Status: 200, Request: []byte(`{"externalId":"1795401500.40"}`), Answer: []byte(`{"id":"c-1"}`)}
)

// opening is when the reports of filled were made, each a second after the other.
var opening = time.Date(2026, 11, 23, 10, 0, 0, 615e6, time.UTC)

// filled is an office with the reports of four calls. Of the first, 1 to 3 are dead
// letters and 4 was delivered. Of the second, 5 was delivered, 6 is dead, and 7 waits.
// 8 waits because the CRM did not answer; 9 can't be sent at all.
func filled(t testing.TB) office {
	t.Helper()
	o := newOffice(t)
	s, err := store.Open(t.Context(), o.directory)
	if err != nil {
		t.Fatal(err)
	}
	const first, second, third, fourth = "1795401475.25", "1795401500.40", "1795401600.50", "kontur-ari~7d1e.1"
	appeared := bridge.Report{Kind: bridge.ReportEvent, Call: first, Leg: "1795401475.26", Event: bridge.LegAppeared}
	var batch bridge.Batch
	for _, report := range []bridge.Report{
		{Kind: bridge.ReportStarted, Call: first}, appeared, {Kind: bridge.ReportFinished, Call: first}, {Kind: bridge.ReportRegister, Call: first},
		{Kind: bridge.ReportStarted, Call: second}, {Kind: bridge.ReportFinished, Call: second}, {Kind: bridge.ReportRegister, Call: second},
		{Kind: bridge.ReportStarted, Call: third}, {Kind: bridge.ReportFailed, Call: fourth},
	} {
		report.Time, report.ClientPhone = opening, "79997775533"
		batch.Reports = append(batch.Reports, report)
	}
	pending, err := s.Commit(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	var sent []bridge.Sent
	for i, result := range []bridge.Result{
		badPhone, notFound, notFound, takenOK, takenOK, notFound, {}, {Verdict: bridge.Retry, Reason: "no answer in time"}, unsendable,
	} {
		if result.Verdict != "" {
			sent = append(sent, bridge.Sent{Pending: pending[i], Result: result})
		}
	}
	if err := errors.Join(s.RecordResults(t.Context(), sent), s.Close()); err != nil {
		t.Fatal(err)
	}
	setClock(t, o)
	return o
}

// setClock sets the times at which the reports were stored to those of opening.
func setClock(t testing.TB, o office) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(o.directory, store.FileName)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	made := fmt.Sprintf("committed = %d + id * 1000", opening.UnixMilli())
	settled := fmt.Sprintf(", settled = %d + id * 1000", opening.Add(250*time.Millisecond).UnixMilli())
	for _, statement := range []string{"outbox SET " + made, "dead_letters SET " + made + settled, "deliveries SET " + made + settled} {
		if _, err := db.Exec("UPDATE " + statement); err != nil {
			t.Error(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAPersonSeesWhatWaitsAndWhatWasRefused(t *testing.T) {
	o := filled(t)
	for name, args := range map[string][]string{
		"list.txt":           {"list"},
		"list.jsonl":         {"list", "--json"},
		"list_reason.txt":    {"list", "--reason", "NOT FOUND"},
		"show_dead.txt":      {"show", "2"},
		"show_delivered.txt": {"show", "5"},
		"show_waiting.txt":   {"show", "8"},
		"show_unsent.txt":    {"show", "9"},
		"show_text.txt":      {"show", "1"},
		"show.json":          {"show", "1", "--json"},
		"export.jsonl":       {"export", "--call", "1795401475.25"},
	} {
		t.Run(name, func(t *testing.T) {
			compareGolden(t, "outbox", name, o.mustOutbox(t, args...))
		})
	}
}

func TestRetriedDeadLettersWaitAgain(t *testing.T) {
	o := filled(t)
	compareGolden(t, "outbox", "retry.txt", o.mustOutbox(t, "retry", "2", "1", "2"))
	code, stdout, stderr := o.outbox(t, "retry", "--all", "--reason", "can't be sent", "--json")
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	compareGolden(t, "outbox", "retry.jsonl", stdout)
	compareGolden(t, "outbox", "list_retried.txt", o.mustOutbox(t, "list"))
	if got := o.mustOutbox(t, "show", "2"); !strings.Contains(got, "put back to be tried again") {
		t.Errorf("a dead letter that was put back: %s", got)
	}
}

func TestADeadLetterIsNotRetriedWithoutThoseBeforeIt(t *testing.T) {
	o := filled(t)
	before := o.mustOutbox(t, "list", "--json")
	code, stdout, stderr := o.outbox(t, "retry", "3", "9", "1")
	if code != exitFailure || stdout != "" {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	compareGolden(t, "outbox", "refusal.txt", stderr)
	if diff := cmp.Diff(before, o.mustOutbox(t, "list", "--json")); diff != "" {
		t.Errorf("what a refused command changed (-before +after):\n%s", diff)
	}

	code, stdout, stderr = o.outbox(t, "retry", "--all", "--reason", "not found")
	if code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	compareGolden(t, "outbox", "left.txt", stdout+stderr)
	code, stdout, _ = o.outbox(t, "retry", "--all", "--reason", "not found", "--json")
	if want := `"after":[1]`; code != exitFailure || strings.Count(stdout, want) != 2 {
		t.Errorf("exit code %d; want %s for two letters: %s", code, want, stdout)
	}
}

func TestACallWithoutACallStartedIsWarnedOf(t *testing.T) {
	o := filled(t)
	compareGolden(t, "outbox", "drop.txt", o.mustOutbox(t, "drop", "1"))
	code, _, stderr := o.outbox(t, "retry", "2")
	if want := "call-started of call 1795401475.25"; code != exitOK || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, standard error %q does not warn of the %s", code, stderr, want)
	}
}

func TestWhatIsDroppedIsPrintedAndGone(t *testing.T) {
	o := filled(t)
	exported := o.mustOutbox(t, "export")
	if diff := cmp.Diff(exported, o.mustOutbox(t, "drop", "--all", "--json")); diff != "" {
		t.Errorf("drop --json prints (-as export +got):\n%s", diff)
	}
	if left := o.mustOutbox(t, "export"); left != "" {
		t.Errorf("left: %s", left)
	}
	if got := o.mustOutbox(t, "list"); !strings.HasSuffix(got, "dead letters: 0\n") {
		t.Errorf("list: %s", got)
	}
}

// full is a writer to a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWhatCantBePrintedIsNotDropped(t *testing.T) {
	o := filled(t)
	before := o.mustOutbox(t, "export")
	for _, args := range [][]string{{"--all"}, {"--all", "--json"}} {
		var errs bytes.Buffer
		if code := run(t.Context(), append([]string{"outbox", "drop", "--config", o.config}, args...), full{}, &errs); code != exitFailure || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%v: exit code %d: %s", args, code, &errs)
		}
	}
	if diff := cmp.Diff(before, o.mustOutbox(t, "export")); diff != "" {
		t.Errorf("dead letters (-before +after):\n%s", diff)
	}
}

func TestOutboxCommandsThatAreWrong(t *testing.T) {
	o := filled(t)
	before := o.mustOutbox(t, "list", "--json")
	for _, test := range []struct {
		args   []string
		stderr string
	}{
		{[]string{"retry"}, "name the ids of dead letters, or say --all"},
		{[]string{"drop"}, "name the ids of dead letters, or say --all"},
		{[]string{"drop", "--reason", "no"}, "add --all"},
		{[]string{"drop", "--all", "1"}, "either name ids, or choose by --all"},
		{[]string{"retry", "1", "--call", "1.1"}, "either name ids, or choose by --all"},
		{[]string{"show", "two"}, `"two" is not the id of a report`},
		{[]string{"show", "99"}, "nothing is stored about a report 99"},
		{[]string{"retry", "99", "4", "8", "1"}, "report 4 is no dead letter: taken by the CRM at 2026-11-23 10:00:04\nreport 8 is no dead letter: it waits, tried 1 time: no answer in time\nnothing is stored about a report 99\nnothing was changed"},
		{[]string{"list", "--since", "yesterday"}, `--since "yesterday": say how long ago`},
	} {
		code, stdout, stderr := o.outbox(t, test.args...)
		if code != exitFailure || stdout != "" || !strings.Contains(stderr, test.stderr) {
			t.Errorf("outbox %v: exit code %d, %q, want an error that says %q: %s", test.args, code, stdout, test.stderr, stderr)
		}
	}
	if code, _, stderr := newOffice(t).outbox(t, "list"); code != exitFailure || !strings.Contains(stderr, "no calls are stored in STORAGE yet") {
		t.Errorf("without a store: exit code %d: %s", code, stderr)
	}
	if diff := cmp.Diff(before, o.mustOutbox(t, "list", "--json")); diff != "" {
		t.Errorf("what wrong commands changed (-before +after):\n%s", diff)
	}
}

func TestSinceIsATimeOrADurationAgo(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                          {},
		"2h":                        now.Add(-2 * time.Hour),
		"2026-11-22":                time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		"2026-11-22 10:38":          time.Date(2026, 11, 22, 10, 38, 0, 0, time.UTC),
		"2026-11-22 10:38:35":       time.Date(2026, 11, 22, 10, 38, 35, 0, time.UTC),
		"2026-11-22T10:38:35+03:00": time.Date(2026, 11, 22, 7, 38, 35, 0, time.UTC),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, error %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-2h", "2", "22.11.2026", "2026-11-31"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestALongListIsCut(t *testing.T) {
	o := newOffice(t)
	s, err := store.Open(t.Context(), o.directory)
	if err != nil {
		t.Fatal(err)
	}
	const extra = 7
	deadAndWaiting(t, s, mostListed+extra)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	short := strings.Split(strings.TrimSpace(o.mustOutbox(t, "list")), "\n")
	long := strings.Split(strings.TrimSpace(o.mustOutbox(t, "list", "--all")), "\n")
	if len(short) != 2*mostListed+5 || len(long) != 2*(mostListed+extra)+3 {
		t.Errorf("%d lines, and %d with --all", len(short), len(long))
	}
	for _, want := range []string{"... and 7 calls more, all with --all", "... and 7 more, all with --all"} {
		if !strings.Contains(strings.Join(short, "\n"), want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	if got := o.mustOutbox(t, "retry", "--all"); !strings.Contains(got, fmt.Sprintf("... and %d more\n%d dead letters of %d calls to be sent again", mostListed+extra-mostNamed, mostListed+extra, mostListed+extra)) {
		t.Errorf("retry: %s", got)
	}
}

// deadAndWaiting commits two reports for each call: one becomes a dead letter, one waits.
func deadAndWaiting(t testing.TB, s *store.Store, calls int) {
	t.Helper()
	var batch bridge.Batch
	for i := range calls {
		call := bridge.CallID(fmt.Sprint("1795401475.", i))
		batch.Reports = append(batch.Reports, bridge.Report{Kind: bridge.ReportStarted, Call: call}, bridge.Report{Kind: bridge.ReportFinished, Call: call})
	}
	pending, err := s.Commit(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	var sent []bridge.Sent
	for i := 0; i < len(pending); i += 2 {
		sent = append(sent, bridge.Sent{Pending: pending[i], Result: notFound})
	}
	if err := s.RecordResults(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
}

func TestLinesOfJSONAreWholeDocuments(t *testing.T) {
	o := filled(t)
	for line := range strings.Lines(o.mustOutbox(t, "export")) {
		var report struct {
			Report int64  `json:"report"`
			Call   string `json:"call"`
			Status int    `json:"status"`
			Body   any    `json:"body"`
		}
		if err := json.Unmarshal([]byte(line), &report); err != nil || report.Call == "" || (report.Body == nil) != (report.Status == 0) {
			t.Errorf("%s: %+v, error %v", line, report, err)
		}
	}
}
