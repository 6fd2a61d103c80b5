package store

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"

	"kontur-ari/bridge/store/vfs"
)

const (
	// restartFrom is the number of bytes from which the write-ahead log is begun anew:
	// some 8000 pages. A page that is written again and again, as most are, goes into
	// the file once for each time: so it is not small. A start after a crash reads all of
	// it, so it is not large.
	restartFrom = 32 << 20
	// smallRestartFrom is the same where the disk has little room.
	smallRestartFrom = 4 << 20
	// checkpointEvery is how often the pages of a log that is shorter are brought into the
	// file.
	checkpointEvery = 10 * time.Second
	// checkpointPause is the pause after one that failed, or that somebody stood in the way
	// of.
	checkpointPause = time.Second
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
	// long has room for one, and tells that the log has become so.
	long chan struct{}
	// began is what had been written to the log when it was begun anew.
	began atomic.Int64
	// lengthened: the log was given its length, or was meant to be. roomy: the disk had
	// room for that, when it was looked at last.
	lengthened, roomy atomic.Bool
}

// newCheckpointer makes one that can be told of commits. It works once it is started.
func newCheckpointer(s *Store) *checkpointer {
	c := &checkpointer{store: s, ended: make(chan struct{}), long: make(chan struct{}, 1)}
	c.began.Store(vfs.Written(s.logPath()))
	return c
}

func (c *checkpointer) start() {
	ctx, cancel := context.WithCancel(context.Background())
	c.end = cancel
	go c.run(ctx)
}

// close ends one that was started.
func (c *checkpointer) close() {
	c.end()
	<-c.ended
}

// grown is told of each commit. It never blocks.
func (c *checkpointer) grown() {
	written := c.written()
	if written < lengthenFrom || c.lengthened.Load() && written < c.limit() {
		return
	}
	select {
	case c.long <- struct{}{}:
	default:
	}
}

// written is how much was written to the log since it was begun anew.
func (c *checkpointer) written() int64 { return vfs.Written(c.store.logPath()) - c.began.Load() }

// limit is how much may be written to the log before it is begun anew.
func (c *checkpointer) limit() int64 {
	if c.roomy.Load() {
		return restartFrom
	}
	return smallRestartFrom
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.ended)
	ticker := time.NewTicker(checkpointEvery)
	defer ticker.Stop()
	var done int64
	for {
		long := false
		select {
		case <-ctx.Done():
			return
		case <-c.long:
			c.roomy.Store(c.store.hasRoom())
			c.lengthenOnce(ctx)
			if long = c.written() >= c.limit(); !long {
				continue
			}
		case <-ticker.C:
			c.roomy.Store(c.store.hasRoom())
		}
		commits := c.store.committer.commits.Load()
		if commits == done || c.store.guard.wait(ctx) != nil {
			continue
		}
		err := checkpoint(ctx, c.store.reader())
		if err == nil {
			done = commits
			if !long {
				continue
			}
			err = c.store.committer.checkpoint(ctx)
		}
		if err != nil {
			// It is made up for by the next one, or by SQLite's own; what is wrong with the
			// disk the commits find out. They are not to have it tried each time.
			pause(ctx, checkpointPause)
			continue
		}
		c.began.Store(vfs.Written(c.store.logPath()))
		select {
		case <-c.long: // it was told of meanwhile
		default:
		}
	}
}

// lengthenOnce gives the log its length where there is room, and does nothing ever after.
func (c *checkpointer) lengthenOnce(ctx context.Context) {
	if c.lengthened.Load() {
		return
	}
	if c.roomy.Load() {
		c.store.lengthenLog(ctx)
	}
	c.lengthened.Store(true)
}

const passiveCheckpoint = "PRAGMA wal_checkpoint(PASSIVE)"

// checkpoint brings into the file what nobody stands in the way of.
func checkpoint(ctx context.Context, db *sql.DB) error {
	var busy, pages, moved int
	return db.QueryRowContext(ctx, passiveCheckpoint).Scan(&busy, &pages, &moved)
}
