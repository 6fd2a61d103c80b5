package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
)

// maxBatch is how many writes share one transaction at most.
const maxBatch = 256

// countEvery and countBytes are how many writes, or how much content, pass between two counts
// of the log's pages, each of which takes as long as a small statement.
const countEvery, countBytes = 32, 256 << 10

// ErrClosed means that the file was closed before the write began.
var ErrClosed = errors.New("the store is closed")

// Tx is what a write may do in its transaction.
type Tx struct{ conn *Conn }

// Exec runs a statement, see [Conn.Exec].
func (tx Tx) Exec(text string, args ...any) error { return tx.conn.Exec(text, args...) }

// First gives the first row of an answer to visit; false where there is none.
func (tx Tx) First(text string, visit func(Row) error, args ...any) (bool, error) {
	return tx.conn.First(text, visit, args...)
}

// LastInsertID is the id of the row that was inserted last, also by an earlier write.
func (tx Tx) LastInsertID() int64 { return tx.conn.LastInsertID() }

// Changes is how many rows the last statement changed.
func (tx Tx) Changes() int { return tx.conn.Changes() }

// write is a write that waits.
type write struct {
	// ctx is its caller's. A write whose caller has gone is not begun.
	ctx   context.Context
	apply func(Tx) error
	done  chan error
}

// writer commits writes in batches. One goroutine owns the connection and every field but the
// channels and commits.
type writer struct {
	db     *DB
	conn   *Conn
	writes chan *write
	// checkpoints are requests to bring the rest of the log into the file, between two
	// transactions.
	checkpoints   chan chan error
	stop, stopped chan struct{}
	commits       atomic.Int64
	// open: a transaction may be open that could not be rolled back.
	open bool
	// crowded: the last batch was of several writes.
	crowded bool
	// uncounted are the writes since the pages of the log were counted.
	uncounted int
}

func startWriter(db *DB, conn *Conn) *writer {
	w := &writer{
		db: db, conn: conn,
		writes: make(chan *write, maxBatch), checkpoints: make(chan chan error),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go w.run()
	return w
}

func (w *writer) submit(one *write) error {
	select {
	case w.writes <- one:
	case <-w.stopped:
		return ErrClosed
	case <-one.ctx.Done():
		return one.ctx.Err()
	}
	select {
	case err := <-one.done:
		return err
	case <-one.ctx.Done():
		return one.ctx.Err()
	case <-w.stopped:
		// The last batch may have held it.
		select {
		case err := <-one.done:
			return err
		default:
			return ErrClosed
		}
	}
}

// checkpoint brings all of the log into the file, so that the next write begins it again. The
// error is errInUse where a reader stands in the way.
func (w *writer) checkpoint(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case w.checkpoints <- done:
		return <-done
	case <-w.stopped:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close commits what waits and ends the writer.
func (w *writer) close() error {
	close(w.stop)
	<-w.stopped
	return w.conn.Close()
}

func (w *writer) run() {
	defer close(w.stopped)
	for {
		select {
		case first := <-w.writes:
			w.commit([]*write{first})
		case done := <-w.checkpoints:
			done <- w.bringIn()
		case <-w.stop:
			for len(w.writes) > 0 {
				w.commit(nil)
			}
			return
		}
	}
}

// commit makes a batch durable, with what arrives in the meantime, and answers each write. A
// write that fails by its own fault is taken out, and the rest is applied again.
func (w *writer) commit(batch []*write) {
	for {
		var err error
		batch, err = w.attempt(w.withArrived(batch, maxBatch))
		own, failed := errors.AsType[*applyError](err)
		if failed && len(batch) > 1 && Classify(err) == NoFault {
			own.write.done <- own.err
			batch = slices.DeleteFunc(batch, func(one *write) bool { return one == own.write })
			continue
		}
		if failed {
			err = own.err
		}
		for _, one := range batch {
			one.done <- err
		}
		w.crowded = len(batch) > 1
		return
	}
}

// applyError is what a write returned when it was applied.
type applyError struct {
	err   error
	write *write
}

func (e *applyError) Error() string { return e.err.Error() }
func (e *applyError) Unwrap() error { return e.err }

// withArrived appends writes that wait, up to most, and leaves out those whose caller has gone.
func (w *writer) withArrived(batch []*write, most int) []*write {
	for len(batch) < most {
		select {
		case next := <-w.writes:
			batch = append(batch, next)
			continue
		default:
		}
		break
	}
	return slices.DeleteFunc(batch, func(one *write) bool { return one.ctx.Err() != nil })
}

// join appends writes that arrived while the batch was applied. After a batch of several
// writes it yields once, because the callers just released usually submit again immediately.
func (w *writer) join(batch []*write) []*write {
	// A write that was begun is not left out when its caller goes.
	room := maxBatch - len(batch)
	arrived := w.withArrived(nil, room)
	if len(arrived) == 0 && w.crowded {
		runtime.Gosched()
		arrived = w.withArrived(nil, room)
	}
	return append(batch, arrived...)
}

// attempt makes a batch durable or nothing of it. It returns the batch with what joined it.
func (w *writer) attempt(batch []*write) (_ []*write, err error) {
	if len(batch) == 0 {
		return nil, nil
	}
	if cause := w.db.Damage(); cause != nil {
		return batch, cause
	}
	err = w.transact(func() error {
		for i := 0; i < len(batch); i++ {
			if err := batch[i].apply(Tx{w.conn}); err != nil {
				return &applyError{err, batch[i]}
			}
			if i == len(batch)-1 && len(batch) < maxBatch {
				batch = w.join(batch)
			}
		}
		return nil
	})
	if Classify(err) == Full {
		// Pages of the log may have a place in the file. Then the log is begun again, and has
		// room.
		_ = w.bringIn()
	}
	if w.uncounted += len(batch); w.uncounted >= countEvery || w.conn.bound >= countBytes {
		w.uncounted, w.conn.bound = 0, 0
		if pages, _, err := w.conn.walPages("NOOP"); err == nil && pages >= longLog {
			w.db.checkpointer.wake()
		}
	}
	return batch, w.db.ReportDamage(err)
}

// transact makes durable what apply writes, or nothing of it.
func (w *writer) transact(apply func() error) (err error) {
	if w.open {
		// It fails where SQLite rolled back by itself.
		_ = w.conn.Exec("ROLLBACK")
		w.open = false
	}
	if err := w.conn.Exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer func() {
		if err == nil {
			return
		}
		if w.db.options.RolledBack != nil {
			w.db.options.RolledBack()
		}
		// It fails where SQLite rolled back by itself, as it does when the disk is full, and
		// where the disk fails, which the next attempt finds out.
		w.open = w.conn.Exec("ROLLBACK") != nil
	}()
	if err := apply(); err != nil {
		return err
	}
	if err := w.conn.Exec("COMMIT"); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	w.commits.Add(1)
	return nil
}

// errInUse means that a reader keeps a part of the log from being brought into the file.
var errInUse = errors.New("the write-ahead log is in use")

func (w *writer) bringIn() error {
	pages, moved, err := w.conn.walPages("PASSIVE")
	if err == nil && moved < pages {
		err = errInUse
	}
	return err
}
