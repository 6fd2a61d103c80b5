package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// recordings runs a recordings command. Paths that differ from test to test are replaced.
func (o office) recordings(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append(append([]string{"recordings"}, args...), "--config", o.config), &out, &errs)
	named := strings.NewReplacer(o.config, "office.yaml", o.directory, "STORAGE")
	return code, named.Replace(out.String()), named.Replace(errs.String())
}

// withRecordings is an office with recordings in every state: 9 to 16, each of a call of
// its own.
func withRecordings(t testing.TB) office {
	t.Helper()
	o := newOffice(t)
	s, err := store.Open(t.Context(), o.directory)
	if err != nil {
		t.Fatal(err)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	var batch bridge.Batch
	for i := range recordingStates {
		id := fmt.Sprintf("1795401475.%d", i)
		batch.Recorded = append(batch.Recorded, bridge.Recorded{
			Call: bridge.CallID(id), Leg: bridge.LegID(id) + "1", Channel: bridge.ChannelID(id), Since: opening, From: opening, To: opening,
		})
	}
	_, err = s.Commit(ctx, batch)
	do(err)
	sought, err := s.SoughtOrSettling(ctx, 0, 100)
	do(err)
	for i, job := range sought[1:] {
		do(s.Found(ctx, job, []bridge.RecordingFile{{Place: bridge.PlaceMonitor, Name: fmt.Sprintf("2026/11/23/%s.wav", recordingStates[i+1])}}, nil))
	}
	jobs, err := s.SoughtOrSettling(ctx, sought[len(sought)-1].ID, 100)
	do(err)
	var sent []bridge.Sent
	for i := range jobs {
		job, state := jobs[i], recordingStates[i+1]
		job.Size, job.State, job.Due = 16044, state, opening
		switch state {
		case bridge.RecordingSettling:
			continue
		case bridge.RecordingEmpty, bridge.RecordingMissing:
			job.Reason = "there is no such file"
			do(s.Keep(ctx, job))
			continue
		case bridge.RecordingReady:
			job.Attempts, job.Reason = 3, "HTTP 503"
			do(s.Keep(ctx, job))
			continue
		}
		job.State = bridge.RecordingReady
		do(s.Keep(ctx, job))
		_, err := s.Uploaded(ctx, job, "file", time.Now())
		do(err)
		pending, err := s.OldestWaiting(ctx, []bridge.CallID{job.Recorded.Call}, 1)
		do(err)
		switch state {
		case bridge.RecordingAnnounced:
			sent = append(sent, bridge.Sent{Pending: pending[0], Result: takenOK})
		case bridge.RecordingRefused:
			sent = append(sent, bridge.Sent{Pending: pending[0], Result: notFound})
		}
	}
	do(errors.Join(s.RecordResults(ctx, sent), s.Close()))
	db, err := sql.Open("sqlite", filepath.Join(o.directory, store.FileName)+"?_pragma=busy_timeout(5000)")
	do(err)
	_, err = db.Exec(fmt.Sprintf("UPDATE recordings SET made = %d + id * 1000", opening.UnixMilli()))
	do(errors.Join(err, db.Close()))
	return o
}

func TestAPersonSeesWhatHasBecomeOfRecordings(t *testing.T) {
	o := withRecordings(t)
	for name, args := range map[string][]string{
		"list.txt":       {"list"},
		"list_all.txt":   {"list", "--all"},
		"list_state.txt": {"list", "--state", "told"},
		"list_call.txt":  {"list", "--call", "1795401475.5"},
		"list.jsonl":     {"list", "--json", "--state", "ready"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := o.recordings(t, args...)
			if code != exitOK || stderr != "" {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			compareGolden(t, "recordings", name, stdout)
		})
	}
}

func TestRecordingsAreTriedAgain(t *testing.T) {
	o := withRecordings(t)
	code, stdout, stderr := o.recordings(t, "retry", "13", "10")
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	compareGolden(t, "recordings", "retry.txt", stdout)
	if got := o.mustOutbox(t, "list"); !strings.Contains(got, "dead letters: 0") {
		t.Errorf("the dead letter of what is uploaded again is there still:\n%s", got)
	}
	code, stdout, stderr = o.recordings(t, "retry", "--all", "--state", "missing", "--json")
	if code != exitOK || stderr != "" || strings.Count(stdout, `"state":"sought"`) != 1 {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	_, stdout, _ = o.recordings(t, "list", "--all")
	compareGolden(t, "recordings", "list_retried.txt", stdout)
}

func TestRecordingsCommandsThatAreWrong(t *testing.T) {
	o := withRecordings(t)
	_, before, _ := o.recordings(t, "list", "--all", "--json")
	for _, test := range []struct {
		args   []string
		stderr string
	}{
		{[]string{"retry"}, "name the ids of recordings, or say --all"},
		{[]string{"retry", "13", "--all"}, "either name ids, or choose by --all"},
		{[]string{"retry", "two"}, `"two" is not the id of a recording`},
		{[]string{"retry", "99", "12", "11", "1"}, "recording 1 is on its way: sought\nrecording 11 is on its way: uploaded\nthe CRM has recording 12\nnothing is stored about a recording 99\nnothing was changed"},
		{[]string{"list", "--state", "lost"}, `--state "lost": there is no such state`},
		{[]string{"list", "--since", "yesterday"}, `--since "yesterday"`},
	} {
		code, stdout, stderr := o.recordings(t, test.args...)
		if code != exitFailure || stdout != "" || !strings.Contains(stderr, test.stderr) {
			t.Errorf("recordings %v: exit code %d, %q, want an error that says %q: %s", test.args, code, stdout, test.stderr, stderr)
		}
	}
	if _, after, _ := o.recordings(t, "list", "--all", "--json"); after != before {
		t.Errorf("what wrong commands changed: before\n%safter\n%s", before, after)
	}
	if code, stdout, _ := newOfficeWithStore(t).recordings(t, "list"); code != exitOK || stdout != "recordings: none\n" {
		t.Errorf("without recordings: exit code %d: %s", code, stdout)
	}
}

// newOfficeWithStore is an office in which nothing has happened.
func newOfficeWithStore(t testing.TB) office {
	t.Helper()
	o := newOffice(t)
	s, err := store.Open(t.Context(), o.directory)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}
