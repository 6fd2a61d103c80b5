package store

import (
	"context"
	"database/sql"
	"time"
)

const (
	// checkpointEvery is the pause between two looks at how long the write-ahead log
	// has become, and restartFrom the number of pages from which it is begun anew.
	checkpointEvery = 100 * time.Millisecond
	restartFrom     = 1000
	// ownCheckpoint is the number of pages from which SQLite would do it by itself, in
	// the middle of a commit: only where this here can't keep up.
	ownCheckpoint = "wal_autocheckpoint(16000)"
)

// checkpointer brings the pages of the write-ahead log into the file. SQLite does that
// in the commit that makes the log long enough, and whoever waits for that commit
// waits for two more flushes and a thousand writes. Here it is done beside the
// commits; the committer only does what has come meanwhile, between two of them.
type checkpointer struct {
	store *Store
	end   context.CancelFunc
	ended chan struct{}
}

func startCheckpointer(s *Store) *checkpointer {
	ctx, cancel := context.WithCancel(context.Background())
	c := &checkpointer{store: s, end: cancel, ended: make(chan struct{})}
	go c.run(ctx)
	return c
}

func (c *checkpointer) close() {
	c.end()
	<-c.ended
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.ended)
	ticker := time.NewTicker(checkpointEvery)
	defer ticker.Stop()
	var done int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		commits := c.store.committer.commits.Load()
		if commits == done || c.store.guard.wait(ctx) != nil {
			continue
		}
		// A checkpoint that fails is made up for by the next one, or by SQLite's own; what
		// is wrong with the disk the commits find out.
		if pages, err := checkpoint(ctx, c.store.reader()); err == nil {
			done = commits
			if pages >= restartFrom {
				_ = c.store.committer.checkpoint(ctx)
			}
		}
	}
}

// rowQuerier is a connection or several.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// checkpoint brings into the file what nobody stands in the way of, and returns how
// many pages the log has.
func checkpoint(ctx context.Context, db rowQuerier) (pages int, err error) {
	var busy, moved int
	err = db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &moved)
	return pages, err
}
