package rescue_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kontur-ari/bridge/store/rescue"
)

// A stop ends a rescue, also within one long statement, and nothing was changed.
func TestARescueEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	content := make([]byte, 9000)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	plan := rescue.Plan{
		Path: path, Migrations: []string{"CREATE TABLE kept (id INTEGER PRIMARY KEY) STRICT"}, NewestRows: 5,
		Complete: func(c *rescue.Copy) error {
			cancel()
			return c.To.Script("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n")
		},
	}
	if _, err := plan.Run(ctx, errors.New("a read said so"), time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != "a.db" {
		t.Errorf("there are %v, error %v", entries, err)
	}
}
