package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// readers is how many reads may run at once beside the writer.
const readers = 2

// durable are the settings of the writer. The cache holds 320 KiB of pages instead of 2 MiB:
// writes go to the end of a table or an index, so the same few pages are asked for again and
// again. journal_size_limit cuts the log after a burst. SQLite's own checkpoint, in the middle
// of a commit, runs only where the checkpointer can't keep up.
var durable = []string{
	"journal_mode(WAL)", "synchronous(FULL)", "cache_size(-320)",
	"journal_size_limit(67108864)", fmt.Sprintf("wal_autocheckpoint(%d)", 16*longLog),
}

// Options are what [Open] must know about a file.
type Options struct {
	// Migrations bring the file forward, one version each. One that was released never
	// changes.
	Migrations []string
	// Prepare looks at the file after the migrations and before the first write. Its error
	// fails [Open]. It may be nil.
	Prepare func(*Conn) error
	// RolledBack is called by the writer after each transaction that was rolled back, before
	// the next one begins: caches of what writes stored must be dropped. It may be nil.
	RolledBack func()
	// Damaged is called once, with the cause, when the file turns out to be damaged. It must
	// not use the DB. Reads and writes fail with that cause by then, and wait for it only if
	// they found the damage. It may be nil.
	Damaged func(cause error)
}

// DB is an open file. All methods may be called concurrently, but Close only after the others
// have returned.
type DB struct {
	path         string
	options      Options
	writer       *writer
	readers      *sqlitex.Pool
	checkpointer *checkpointer

	damage struct {
		mu    sync.Mutex
		cause error
	}
}

// Open opens a file, makes it where it is missing, and brings it forward. It leaves nothing
// open when it fails. The error matches [ErrNewer] for a file of a later version, and the cause
// of ctx where that ends first.
func Open(ctx context.Context, path string, options Options) (*DB, error) {
	conn, err := OpenConn(path, ModeCreate, durable...)
	if err != nil {
		return nil, err
	}
	conn.SetInterrupt(ctx.Done())
	if err = Migrate(conn, options.Migrations); err == nil && options.Prepare != nil {
		err = options.Prepare(conn)
	}
	conn.SetInterrupt(nil)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		defer keepLog(path)()
		return nil, errors.Join(err, conn.Close())
	}
	pool, err := sqlitex.NewPool(uri(path, ModeWrite), sqlitex.PoolOptions{
		Flags: sqlite.OpenReadWrite | sqlite.OpenURI, PoolSize: readers,
		// A read asks for most pages once.
		PrepareConn: func(raw *sqlite.Conn) error {
			return (&Conn{raw: raw}).set(append(durable[1:len(durable):len(durable)], "cache_size(-128)"))
		},
	})
	if err != nil {
		return nil, errors.Join(wrap(err), conn.Close())
	}
	db := &DB{path: path, options: options, readers: pool}
	db.writer = startWriter(db, conn)
	db.checkpointer = startCheckpointer(db)
	return db, nil
}

// Close commits the writes that wait and closes the file. It changes nothing in a damaged one.
func (db *DB) Close() error {
	db.checkpointer.close()
	if db.Damage() != nil {
		defer keepLog(db.path)()
	}
	return errors.Join(db.writer.close(), wrap(db.readers.Close()))
}

// keepLog has the connections that close before end leave the log of a damaged file as it is. The
// last one that closes would write it into the file, but this one may only read.
func keepLog(path string) (end func()) {
	last, err := OpenConn(path, ModeRead)
	if err != nil {
		return func() {}
	}
	_, _ = last.Version()
	return func() { _ = last.Close() }
}

// Write applies a write in a transaction, which it may share with others, and returns when
// that is durable. When ctx ends first, the write may or may not happen. apply may run more
// than once, always from the beginning, and is not interrupted once it has begun.
func (db *DB) Write(ctx context.Context, apply func(Tx) error) error {
	return db.writer.submit(&write{ctx: ctx, apply: apply, done: make(chan error, 1)})
}

// Read gives the rows of an answer to visit and ends early with the first error that visit
// returns. It fails with the error of ctx once that has ended.
func (db *DB) Read(ctx context.Context, text string, visit func(Row) error, args ...any) error {
	return db.ReportDamage(db.ReadUnreported(ctx, text, visit, args...))
}

// ReadUnreported is Read for a caller that looks for damage: it calls [DB.ReportDamage] itself,
// with more than SQLite says.
func (db *DB) ReadUnreported(ctx context.Context, text string, visit func(Row) error, args ...any) error {
	if cause := db.Damage(); cause != nil {
		return cause
	}
	raw, err := db.readers.Take(ctx)
	if err == nil {
		err = (&Conn{raw: raw}).Query(text, visit, args...)
		db.readers.Put(raw)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// ReportDamage returns the error of something that used the file, after [Options.Damaged] was
// called where the error is the first damage.
func (db *DB) ReportDamage(err error) error {
	if Classify(err) == Damaged && db.firstDamage(err) && db.options.Damaged != nil {
		db.options.Damaged(err)
	}
	return err
}

func (db *DB) firstDamage(err error) bool {
	db.damage.mu.Lock()
	defer db.damage.mu.Unlock()
	first := db.damage.cause == nil
	if first {
		db.damage.cause = err
	}
	return first
}

// Damage is the first damage that was found; nil for none.
func (db *DB) Damage() error {
	db.damage.mu.Lock()
	defer db.damage.mu.Unlock()
	return db.damage.cause
}

// Commits counts the transactions that were made durable.
func (db *DB) Commits() int64 { return db.writer.commits.Load() }
