package store_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// released makes the store of an earlier version, of which version1.sql and so on are
// the content.
func released(t *testing.T, version int) (directory string) {
	t.Helper()
	directory = t.TempDir()
	text, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("version%d.sql", version)))
	if err != nil {
		t.Fatal(err)
	}
	raw(t, directory, func(db *sql.DB) error {
		_, err := db.ExecContext(t.Context(), string(text))
		return err
	})
	return directory
}

// raw works on a store's file past the store.
func raw(t *testing.T, directory string, work func(*sql.DB) error) {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.Join(directory, store.FileName), RawQuery: "_pragma=busy_timeout(5000)"}).String())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(work(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// reports are those that wait, as they are written, by id.
func reports(t *testing.T, directory string) map[int64]string {
	t.Helper()
	found := make(map[int64]string)
	raw(t, directory, func(db *sql.DB) error {
		rows, err := db.QueryContext(t.Context(), "SELECT id, report FROM outbox")
		if err != nil {
			return err
		}
		for rows.Next() {
			var id int64
			var report []byte
			if err := rows.Scan(&id, &report); err != nil {
				return err
			}
			found[id] = string(report)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return found
}

func TestAStoreOfEveryReleasedVersionIsBroughtForward(t *testing.T) {
	const call = "1795433135.27"
	for version := 1; version <= 5; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			directory := released(t, version)
			before := reports(t, directory)
			s := open(t, directory)
			if diff := cmp.Diff(before, reports(t, directory)); diff != "" || len(before) != 6 {
				t.Errorf("%d reports waited; what was changed by the upgrade (-before +after):\n%s", len(before), diff)
			}
			pending := mustNext(t, s, call)
			if len(pending) != 6 || pending[0].ID != 101 || pending[0].Attempts != 3 {
				t.Fatalf("waiting: %+v", pending)
			}
			for _, p := range pending {
				again, err := json.Marshal(p.Report)
				if err != nil || string(again) != before[p.ID] {
					t.Errorf("report %d is read as %s, error %v; it is %s", p.ID, again, err, before[p.ID])
				}
				settle(t, s, p, bridge.Result{Verdict: bridge.Delivered})
			}
			if left := reports(t, directory); len(left) > 0 {
				t.Errorf("still waiting after they were delivered: %v", left)
			}
			checkRest(t, s, directory)
			if damages := s.Rescued(); len(damages) > 0 {
				t.Errorf("an older version is taken for a damage: %+v", damages)
			}
			commit(t, s, bridge.Batch{Reports: []bridge.Report{report("new", bridge.ReportStarted)}})
			if id := head(t, s, "new").ID; id != 107 {
				t.Errorf("the next report has the id %d, want 107", id)
			}
			if job := sought(t, s, recorded("new", "leg", 1, 3, 9)); job.Recorded.Call != "new" {
				t.Errorf("recordings are sought of call %s, want the new one", job.Recorded.Call)
			}
		})
	}
}

// checkRest sees that everything is there but what waits.
func checkRest(t *testing.T, s *store.Store, directory string) {
	t.Helper()
	const delivered = "1795433100.1"
	calls, ended, err := s.OpenCalls(t.Context())
	if err != nil || len(calls) != 1 || calls[0].Call != "1795433200.1" || len(ended) != 1 || ended[0] != delivered {
		t.Errorf("calls in progress %v, ended %v, error %v", calls, ended, err)
	}
	if identity, found, err := s.Identity(t.Context(), delivered); !found || err != nil || identity.CommunicationID != "1841" {
		t.Errorf("identity %+v, error %v", identity, err)
	}
	history, err := store.OpenHistory(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	deliveries, err := history.Deliveries(t.Context(), delivered)
	if err := errors.Join(err, history.Close()); err != nil {
		t.Fatal(err)
	}
	if len(deliveries) != 2 || deliveries[0].Status != 200 || deliveries[1].Reason != "the CRM says no" {
		t.Errorf("what was delivered: %+v", deliveries)
	}
}

func TestADamagedStoreOfAnEarlierVersionIsSavedToo(t *testing.T) {
	for version := 1; version <= 5; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			directory := released(t, version)
			path := filepath.Join(directory, store.FileName)
			scribble(t, path, pagesOf(t, path, "calls")...)
			s := open(t, directory)
			damage := oneDamage(t, s)
			if diff := cmp.Diff([]string{"calls"}, damage.Unreadable); diff != "" {
				t.Errorf("lost from (-want +got):\n%s", diff)
			}
			if got := len(mustNext(t, s, "1795433135.27")); got != 6 {
				t.Errorf("%d reports wait, want 6", got)
			}
		})
	}
}
