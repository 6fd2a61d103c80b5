package intake_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"kontur-ari/bridge"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
)

func TestAStoreThatIsDamagedEndsTheIntakeAtOnce(t *testing.T) {
	directory := t.TempDir()
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	i := intake.New(newTracker(t), s, func([]bridge.Pending) {}, zap.NewNop())
	done := make(chan error, 1)
	// Its context does not end.
	go func() { done <- i.Run(context.Background()) }()
	const calls = 200
	give := func(id string) {
		if err := i.Give(t.Context(), call(id)[0]); err != nil {
			t.Fatal(err)
		}
	}
	for n := range calls {
		i.Put(call(fmt.Sprint(n, ".1"))[0])
	}
	give("stored.1")
	damageCalls(t, filepath.Join(directory, store.FileName))
	if err := s.Inspect(t.Context()); !errors.Is(err, bridge.ErrStoreDamaged) {
		t.Fatalf("the test did no damage: %v", err)
	}
	i.Put(call("after.1")[0])
	if err := <-done; !errors.Is(err, bridge.ErrStoreDamaged) || !strings.Contains(err.Error(), "1 events were not stored") {
		t.Errorf("the intake ends with %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	again, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	open, _, err := again.OpenCalls(t.Context())
	if err := errors.Join(err, again.Close()); err != nil {
		t.Fatal(err)
	}
	damages := again.Rescued()
	if len(damages) != 1 || len(open) == 0 || len(open) > calls || damages[0].Saved["calls"] != len(open) {
		t.Errorf("%d calls are in progress after the next start, which said %+v", len(open), damages)
	}
}

// damageCalls overwrites half of what holds the calls in progress.
func damageCalls(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	var pages []int64
	_, err = db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
	rows, failed := db.QueryContext(t.Context(), "SELECT pageno FROM dbstat WHERE name = 'calls' AND pagetype = 'leaf'")
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var page int64
		if err := rows.Scan(&page); err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	if err := errors.Join(rows.Err(), rows.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages[len(pages)/4 : 3*len(pages)/4] {
		if _, err := file.WriteAt(bytes.Repeat([]byte{0xa5}, 4096), (page-1)*4096); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
