package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// replacementPause is the least time between two replacements. A file that is damaged
// again at once comes of memory or a disk that fails, and copies of it would fill that
// disk.
const replacementPause = time.Minute

// errDamagedAgain says that replacing the file does not help.
var errDamagedAgain = errors.New("it was replaced within the last minute: have the disk and the memory of this machine checked")

// heal replaces the damaged file while the daemon runs. The committer calls it, so
// that nothing is written meanwhile; reads go on. What it could not finish is finished
// before the next write.
func (c *committer) heal(cause error) error {
	ctx, now := context.Background(), c.store.now()
	if err := c.store.guard.wait(ctx); err != nil {
		return err
	}
	if c.half == nil {
		if since := now.Sub(c.lastReplaced); since >= 0 && since < replacementPause {
			return fmt.Errorf("%w (%w)", errDamagedAgain, cause)
		}
		damage, err := prepareReplacement(ctx, c.store.path(), cause, now)
		if err != nil {
			return fmt.Errorf("replacing the store: %w; it is damaged: %w", err, cause)
		}
		c.half = &damage
	}
	if _, err := finishReplacement(c.store.path(), now); err != nil {
		return fmt.Errorf("replacing the store: %w; it is damaged: %w", err, cause)
	}
	read := c.store.read
	conn, err := c.store.openFile(ctx)
	if err != nil {
		return fmt.Errorf("opening the store that replaces a damaged one: %w", err)
	}
	c.leave(read)
	c.conn = conn
	c.replaced.Store(true)
	c.store.damages.add(*c.half)
	c.half, c.lastReplaced = nil, now
	return nil
}

// leave lets go of the damaged file. What closing it says was said before.
func (c *committer) leave(read *sql.DB) {
	clear(c.spans)
	c.numbered = 0
	c.undone = false
	_ = c.conn.close()
	_ = read.Close()
}
