package store

import (
	"strings"
	"testing"

	"kontur-ari/bridge/store/sqlite"
)

// A week of a busy switch is millions of events, and an outage as many reports.
func TestAStartReadsNoWholeTableOfWhatGrows(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	looked := 0
	for _, text := range probes {
		if !strings.HasPrefix(text, "SELECT") {
			continue
		}
		plan, err := query(t.Context(), s, "EXPLAIN QUERY PLAN "+text, func(row sqlite.Row) (step string, err error) {
			var id, parent, unused int
			return step, row.Scan(&id, &parent, &unused, &step)
		})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, step := range plan {
			looked++
			if strings.HasPrefix(step, "SCAN events") || strings.HasPrefix(step, "SCAN outbox") {
				t.Errorf("%s: %s", text, step)
			}
		}
	}
	if looked == 0 {
		t.Error("no plan was looked at")
	}
}
