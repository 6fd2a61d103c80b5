package store_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// A damaged file may hold a report both in the outbox and among the settled ones. This must
// not make the recording of other results fail again and again.
func TestAReportThatIsThereTwiceIsSettledAllTheSame(t *testing.T) {
	for _, table := range []string{
		"INSERT INTO deliveries SELECT id, call, committed, 0, kind, 1, 200, x'', x'' FROM outbox WHERE id = 1",
		"INSERT INTO dead_letters SELECT id, call, committed, 0, report, 1, 409, x'', x'', '' FROM outbox WHERE id = 1",
		"INSERT INTO collapsed SELECT id, call, committed, 0, report FROM outbox WHERE id = 1",
	} {
		for _, verdict := range []bridge.Verdict{bridge.Delivered, bridge.Refused} {
			directory := t.TempDir()
			s := open(t, directory)
			commitKinds(t, s, "1.1", overKinds)
			commitKinds(t, s, "2.1", overKinds)
			spoil(t, directory, table)
			sent := []bridge.Sent{
				{Pending: head(t, s, "1.1"), Result: bridge.Result{Verdict: verdict}},
				{Pending: head(t, s, "2.1"), Result: bridge.Result{Verdict: verdict}},
			}
			if err := s.RecordResults(t.Context(), sent); err != nil {
				t.Errorf("%s, then %s: %v", table[:25], verdict, err)
			}
			if left := len(waitingKinds(t, s, "1.1")); left != len(overKinds)-1 {
				t.Errorf("%s, then %s: %d reports wait", table[:25], verdict, left)
			}
		}
		directory := t.TempDir()
		s := open(t, directory)
		commitKinds(t, s, "1.1", overKinds)
		spoil(t, directory, table)
		if _, err := s.Collapse(t.Context(), []bridge.CallID{"1.1"}); err != nil {
			t.Errorf("%s, then collapsed: %v", table[:25], err)
		}
	}
}

// spoil changes the file behind the store's back.
func spoil(t *testing.T, directory, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(directory, store.FileName)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}
