package sqlite

import (
	"context"
	"time"
)

const (
	// longLog is the number of pages from which the write-ahead log is begun again: 4 MiB, and
	// what one more transaction writes. A start after a crash reads all of it.
	longLog = 1000
	// checkpointEvery is how often the pages of a shorter log are brought into the file.
	checkpointEvery = 10 * time.Second
	// checkpointPause follows a checkpoint that failed, or that a reader stood in the way of.
	checkpointPause = time.Second
)

// checkpointer brings the pages of the write-ahead log into the file. SQLite does that in the
// commit that makes the log long enough, whose callers wait for two more flushes. Here it runs
// beside the commits, over a reader's connection. The writer only brings in what was added in
// the meantime, between two transactions: from then on the log is written from its beginning.
type checkpointer struct {
	db    *DB
	end   context.CancelFunc
	ended chan struct{}
	// long has room for one: the log has become long.
	long chan struct{}
}

func startCheckpointer(db *DB) *checkpointer {
	ctx, cancel := context.WithCancel(context.Background())
	c := &checkpointer{db: db, end: cancel, ended: make(chan struct{}), long: make(chan struct{}, 1)}
	go c.run(ctx)
	return c
}

func (c *checkpointer) close() {
	c.end()
	<-c.ended
}

// wake says that the log is long. It never blocks.
func (c *checkpointer) wake() {
	select {
	case c.long <- struct{}{}:
	default:
	}
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.ended)
	ticker := time.NewTicker(checkpointEvery)
	defer ticker.Stop()
	done := int64(0)
	for {
		long := false
		select {
		case <-ctx.Done():
			return
		case <-c.long:
			long = true
		case <-ticker.C:
		}
		commits := c.db.Commits()
		if commits == done || c.db.Damage() != nil {
			continue
		}
		err := c.beside(ctx)
		if err == nil && long {
			err = c.db.writer.checkpoint(ctx)
			// Commits said so of the log that was just brought in.
			select {
			case <-c.long:
			default:
			}
		}
		if err == nil {
			done = commits
			continue
		}
		// The next checkpoint makes up for it. What is wrong with the disk the commits find
		// out.
		select {
		case <-ctx.Done():
		case <-time.After(checkpointPause):
		}
	}
}

// beside brings in what no reader stands in the way of, while the writer goes on.
func (c *checkpointer) beside(ctx context.Context) error {
	raw, err := c.db.readers.Take(ctx)
	if err != nil {
		return err
	}
	defer c.db.readers.Put(raw)
	_, _, err = (&Conn{raw: raw}).walPages("PASSIVE")
	return c.db.ReportDamage(err)
}

// walPages makes a checkpoint of a mode (https://sqlite.org/pragma.html#pragma_wal_checkpoint)
// and returns how many pages the log has, and how many of them are in the file. The mode NOOP
// only counts.
func (c *Conn) walPages(mode string) (pages, moved int, err error) {
	busy := 0
	_, err = c.First("PRAGMA wal_checkpoint("+mode+")", func(row Row) error { return row.Scan(&busy, &pages, &moved) })
	return pages, moved, err
}
