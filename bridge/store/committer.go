package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"kontur-ari/bridge"
)

// mostTogether is how many writes share one transaction at most.
const mostTogether = 256

// ErrClosed means that the store was closed before the write was begun.
var ErrClosed = errors.New("the store is closed")

// committer is the only writer: it puts all writes that wait into one
// transaction, so that they share one flush of the disk.
//
// A goroutine of its own does so, but for a writer that is alone and does not give up:
// he does it himself, since waking one another would take a good part of the time of a
// flush.
type committer struct {
	store *Store
	// turn is held by whoever is writing, and guards what only he uses: all but the
	// channels and the atomics.
	turn chan struct{}
	// crowded: the last transaction was of more than one write.
	crowded atomic.Bool
	conn    *connection
	writes  chan *write
	stop    chan struct{}
	stopped chan struct{}
	// replaced: the file was replaced and the journal's writer does not know yet.
	replaced atomic.Bool
	// lastReplaced is when that was last. half is a damage whose file is being replaced.
	lastReplaced time.Time
	half         *Damage
	// commits counts the transactions that are durable.
	commits atomic.Int64
	// undone: a transaction may be open that could not be rolled back.
	undone bool
	// spans are those that are known to be in the file.
	spans spans
	// numbered is the highest id of a report that was kept as such.
	numbered int64
	// aside are writes that came during a transaction and are not for one.
	aside []*write
}

type write struct {
	// ctx is its caller's: a write whose caller has gone is not begun.
	ctx context.Context
	// apply is not given up once it was begun: half a batch of events would be worse than
	// a late one.
	apply func(transaction) error
	done  chan error
	// journal: its caller must be told of a replacement.
	journal bool
	// damaged, where it is the file at hand, is to be replaced because of cause.
	damaged *sql.DB
	cause   error
	// checkpoint: nothing is written, but the log is brought into the file.
	checkpoint bool
}

// applyError is what a write has said when it was applied: its own fault, or the disk's.
type applyError struct {
	error
	write *write
}

func (e applyError) Unwrap() error { return e.error }

func startCommitter(s *Store, conn *connection) *committer {
	c := &committer{
		store:   s,
		turn:    make(chan struct{}, 1),
		conn:    conn,
		spans:   make(spans),
		writes:  make(chan *write, mostTogether),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go c.run()
	return c
}

// do applies a write in a transaction and returns when that is durable. When ctx
// ends first the write may or may not happen.
func (c *committer) do(ctx context.Context, apply func(transaction) error) error {
	return c.submit(&write{ctx: ctx, apply: apply, done: make(chan error, 1)})
}

// doJournal is do for the writer of the journal: [bridge.ErrStoreReplaced].
func (c *committer) doJournal(ctx context.Context, apply func(transaction) error) error {
	return c.submit(&write{ctx: ctx, apply: apply, done: make(chan error, 1), journal: true})
}

// replace has the file replaced to which read belongs, if it is still in use.
func (c *committer) replace(ctx context.Context, read *sql.DB, cause error) error {
	return c.submit(&write{ctx: ctx, done: make(chan error, 1), damaged: read, cause: cause})
}

// checkpoint brings the write-ahead log into the file, so that the next write begins
// it anew. The error is errInUse where somebody who reads stands in the way.
func (c *committer) checkpoint(ctx context.Context) error {
	return c.submit(&write{ctx: ctx, done: make(chan error, 1), checkpoint: true})
}

func (c *committer) submit(w *write) error {
	ctx := w.ctx
	if ctx.Done() == nil && !c.crowded.Load() {
		select {
		case c.turn <- struct{}{}:
			c.commit(c.waiting(w))
			if len(c.aside) > 0 {
				// None of its caller's business. Who closes the committer waits for the turn.
				go c.giveBack()
			} else {
				<-c.turn
			}
			return <-w.done
		default:
		}
	}
	select {
	case c.writes <- w:
	case <-c.stopped:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.stopped:
		// The last round may have taken it just before the end.
		select {
		case err := <-w.done:
			return err
		default:
			return ErrClosed
		}
	}
}

// close commits what waits and ends the committer.
func (c *committer) close() error {
	close(c.stop)
	<-c.stopped
	// It is never given back.
	c.turn <- struct{}{}
	return c.conn.close()
}

func (c *committer) run() {
	defer close(c.stopped)
	for {
		select {
		case first := <-c.writes:
			c.take(first)
		case <-c.stop:
			for {
				select {
				case first := <-c.writes:
					c.take(first)
				default:
					return
				}
			}
		}
	}
}

// take commits a write with those that wait when its turn comes.
func (c *committer) take(first *write) {
	c.turn <- struct{}{}
	c.commit(c.waiting(first))
	c.giveBack()
}

// giveBack ends a turn, after the writes that came in it and were not for a transaction.
func (c *committer) giveBack() {
	for _, w := range c.aside {
		c.answered(w)
	}
	clear(c.aside)
	c.aside = c.aside[:0]
	<-c.turn
}

// waiting collects the writes that have arrived by now.
func (c *committer) waiting(first *write) []*write {
	together := []*write{first}
	for len(together) < mostTogether {
		select {
		case w := <-c.writes:
			together = append(together, w)
		default:
			return together
		}
	}
	return together
}

// commit makes writes durable together. One that is at fault gets a transaction of its own,
// after the others, so that it takes none with it. When the file is damaged it is replaced
// first.
func (c *committer) commit(together []*write) {
	together, err := c.attemptWhole(slices.DeleteFunc(together, c.answered))
	c.crowded.Store(len(together) > 1)
	var guilty []*write
	for own := ownFault(err); own != nil && len(together) > 1; own = ownFault(err) {
		guilty = append(guilty, own)
		together = slices.DeleteFunc(together, func(w *write) bool { return w == own })
		together, err = c.attemptWhole(together)
	}
	for _, w := range together {
		w.done <- explain(c.store.directory, err)
	}
	for _, w := range guilty {
		if !c.answered(w) {
			w.done <- explain(c.store.directory, c.alone(w))
		}
	}
}

// ownFault is the write that an error is to be blamed on; nil where it is the disk's.
func ownFault(err error) *write {
	if own, ok := errors.AsType[applyError](err); ok && FaultOf(err) == NoFault {
		return own.write
	}
	return nil
}

// attemptWhole is attempt, on a file that replaces the one at hand where that is damaged.
func (c *committer) attemptWhole(together []*write) (_ []*write, err error) {
	if len(together) == 0 {
		return nil, nil
	}
	if c.half != nil {
		err = c.half.Cause
	} else {
		together, err = c.attempt(together)
	}
	if FaultOf(err) == Damaged {
		if err = c.heal(err); err == nil {
			if together = slices.DeleteFunc(together, c.answered); len(together) > 0 {
				together, err = c.attempt(together)
			}
		}
	}
	if FaultOf(err) == Full {
		// What is in the log may have a place in the file: then the log is begun anew, and
		// has room.
		_ = c.bringIn()
	}
	return together, err
}

// answered deals with what needs no transaction.
func (c *committer) answered(w *write) bool {
	switch {
	case w.ctx.Err() != nil:
		return true
	case w.journal && c.replaced.Swap(false):
		w.done <- bridge.ErrStoreReplaced
		return true
	case w.checkpoint:
		err := c.store.guard.wait(w.ctx)
		if err == nil {
			err = c.bringIn()
		}
		w.done <- err
		return true
	case w.damaged != nil:
		var err error
		if w.damaged == c.store.reader() {
			err = c.heal(w.cause)
		}
		w.done <- err
		return true
	}
	return false
}

// errInUse means that not all of the log could be brought into the file.
var errInUse = errors.New("the write-ahead log is in use")

// bringIn brings all of the log into the file, as far as nobody stands in the way.
func (c *committer) bringIn() error {
	var pages, moved int64
	_, err := transaction{c}.row(passiveCheckpoint, func(row *statement) { pages, moved = row.number(1), row.number(2) })
	if err == nil && moved < pages {
		err = errInUse
	}
	return err
}

// attempt makes writes durable together, and with them those that come while they are
// applied. It returns all of them.
func (c *committer) attempt(together []*write) (_ []*write, err error) {
	err = c.transact(func() error {
		for i := 0; i < len(together); i++ {
			if err := together[i].apply(transaction{c}); err != nil {
				return applyError{err, together[i]}
			}
			if i == len(together)-1 {
				together = c.joined(together)
			}
		}
		return nil
	})
	return together, err
}

// alone makes one write durable.
func (c *committer) alone(w *write) error {
	return c.transact(func() error { return w.apply(transaction{c}) })
}

// joined are writes of a transaction and those that have come meanwhile. After a crowd,
// whoever is ready to run may come first: those who were just answered come again at once.
func (c *committer) joined(together []*write) []*write {
	before := len(together)
	if together = c.arrived(together); len(together) == before && c.crowded.Load() {
		runtime.Gosched()
		together = c.arrived(together)
	}
	return together
}

// arrived adds the writes that wait.
func (c *committer) arrived(together []*write) []*write {
	for len(together) < mostTogether {
		select {
		case w := <-c.writes:
			switch {
			case w.checkpoint || w.damaged != nil:
				c.aside = append(c.aside, w)
			case !c.answered(w):
				together = append(together, w)
			}
		default:
			return together
		}
	}
	return together
}

// transact makes durable what apply writes, or nothing of it.
func (c *committer) transact(apply func() error) (err error) {
	c.store.guard.hold()
	if c.undone {
		// There is none to roll back where SQLite did it by itself meanwhile.
		_ = c.conn.execute("ROLLBACK")
		c.undone = false
	}
	if err := c.conn.execute("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer func() {
		if err != nil {
			clear(c.spans)
			// It fails where SQLite has rolled back by itself, as it does when the disk
			// is full; and where the disk fails, which the next attempt finds out.
			c.undone = c.conn.execute("ROLLBACK") != nil
		}
	}()
	if err := apply(); err != nil {
		return err
	}
	// Writes may have been applied for a while, and the log's index may be written to next.
	c.store.guard.hold()
	if err := c.conn.execute("COMMIT"); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	c.commits.Add(1)
	c.store.checkpointer.grown()
	return nil
}
