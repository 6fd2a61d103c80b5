package store

import (
	"context"
	"database/sql"
	"time"
)

const (
	// restartFrom is the number of pages from which the write-ahead log is begun anew. A
	// page that is written again and again, as most are, goes into the file once for each
	// time: so it is not small. A start after a crash reads all of it, so it is not large.
	restartFrom = 4000
	// leastBetween and mostBetween bound the pause between two checkpoints, which is as
	// long as the log takes to grow to restartFrom, about.
	leastBetween, mostBetween = 100 * time.Millisecond, time.Second
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
	timer := time.NewTimer(mostBetween)
	defer timer.Stop()
	var done int64
	began := time.Now()
	for between := mostBetween; ; timer.Reset(between) {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		commits := c.store.committer.commits.Load()
		if commits == done || c.store.guard.wait(ctx) != nil {
			between = mostBetween
			continue
		}
		// A checkpoint that fails is made up for by the next one, or by SQLite's own; what
		// is wrong with the disk the commits find out.
		pages, err := checkpoint(ctx, c.store.reader())
		if err != nil {
			continue
		}
		done = commits
		between = min(max(min(time.Since(began), time.Hour)*restartFrom/time.Duration(max(pages, 1)), leastBetween), mostBetween)
		if pages >= restartFrom {
			_ = c.store.committer.checkpoint(ctx)
			began = time.Now()
		}
	}
}

const passiveCheckpoint = "PRAGMA wal_checkpoint(PASSIVE)"

// rowQuerier is a connection or several.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// checkpoint brings into the file what nobody stands in the way of, and returns how
// many pages the log has.
func checkpoint(ctx context.Context, db rowQuerier) (pages int, err error) {
	var busy, moved int
	err = db.QueryRowContext(ctx, passiveCheckpoint).Scan(&busy, &pages, &moved)
	return pages, err
}
