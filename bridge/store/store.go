package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/vfs"
)

// FileName is the store's file inside storage.directory.
const FileName = "kontur-ari.db"

// readers is how many reads may run at once beside the one writer.
const readers = 2

// ErrLocked means that another process has the store open.
var ErrLocked = errors.New("another kontur-ari uses this storage directory: stop it, or give this one a directory of its own")

// Store is the open file. All methods may be called concurrently, but Close
// only after the others have returned.
//
// A file that turns out to be damaged is moved aside and replaced by a new one with
// what could be read, in Open as well as later ([Store.TellDamage]). Errors that come
// of the disk are a [*FaultError].
type Store struct {
	directory string
	lock      *os.File
	guard     *guard // nil for a reader of another process
	committer *committer
	now       func() time.Time
	damages   damages
	// checkpointer keeps the write-ahead log short.
	checkpointer *checkpointer
	// highest is the highest id that a report has had; the committer's alone.
	highest int64
	// found is what the last process has left, read before anything was written.
	found *leftBehind

	// swapping guards what a replacement exchanges.
	swapping sync.RWMutex
	read     *sql.DB
	// file is what was at the path when it was opened, and logged the path by which
	// package vfs knows its log.
	file   os.FileInfo
	logged string
}

var (
	_ bridge.Journal      = (*Store)(nil)
	_ bridge.Outbox       = (*Store)(nil)
	_ bridge.ClickToCalls = (*Store)(nil)
)

// Open opens the store in a directory, makes both where they are missing, and
// brings the schema forward. Errors: [ErrLocked], [ErrNewer], or what the disk
// or SQLite says.
func Open(ctx context.Context, directory string) (_ *Store, err error) {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return nil, explain(directory, fmt.Errorf("making the storage directory: %w", err))
	}
	s := &Store{directory: directory, now: time.Now}
	defer func() {
		if err != nil {
			err = explain(directory, errors.Join(err, s.release()))
		}
	}()
	if s.lock, err = lockFile(filepath.Join(directory, FileName+".lock")); err != nil {
		return nil, err
	}
	s.guard = &guard{descriptor: int(s.lock.Fd())}
	conn, err := s.openWhole(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", s.path(), err)
	}
	s.checkpointer = newCheckpointer(s)
	s.committer = startCommitter(s, conn)
	s.checkpointer.start()
	return s, nil
}

func (s *Store) path() string { return filepath.Join(s.directory, FileName) }

// openWhole opens the file, or the one that replaces it where it is damaged.
func (s *Store) openWhole(ctx context.Context) (*connection, error) {
	finished, err := finishReplacement(s.path(), s.now())
	for _, damage := range finished {
		s.damages.add(damage)
	}
	if err != nil {
		return nil, err
	}
	cause, err := incomplete(s.path())
	if err != nil {
		return nil, fmt.Errorf("looking at the file: %w", err)
	}
	if cause == nil {
		conn, err := s.openFile(ctx)
		if FaultOf(err) != Damaged {
			return conn, err
		}
		cause = err
	}
	damage, err := prepareReplacement(ctx, s.path(), cause, s.now())
	if err == nil {
		_, err = finishReplacement(s.path(), s.now())
	}
	if err != nil {
		return nil, fmt.Errorf("replacing it: %w; it is damaged: %w", err, cause)
	}
	s.damages.add(damage)
	return s.openFile(ctx)
}

// openFile opens the file and looks at it as far as that is quick. It leaves nothing
// open when it fails.
func (s *Store) openFile(ctx context.Context) (*connection, error) {
	first, err := openLayered(s.path(), durable, 1)
	if err != nil {
		return nil, err
	}
	var conn *connection
	if err = s.prepareFile(ctx, first); err == nil {
		// While the first is open: the last that closes a file deletes its log.
		if conn, err = openWriting(s.path()); err != nil {
			err = fmt.Errorf("opening the file for writing: %w", err)
		}
	}
	if err = errors.Join(err, first.Close()); err == nil {
		err = s.use()
	}
	if err != nil && conn != nil {
		return nil, errors.Join(err, conn.close())
	}
	return conn, err
}

// use has the file at the path read from now on.
func (s *Store) use() error {
	file, err := os.Stat(s.path())
	if err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	logged, err := realPath(s.path())
	if err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	read, err := openLayered(s.path(), modest, readers)
	if err != nil {
		return err
	}
	s.swapping.Lock()
	defer s.swapping.Unlock()
	s.read, s.file, s.logged = read, file, logged
	return nil
}

// logPath is the path by which package vfs knows the log of the file in use.
func (s *Store) logPath() string {
	s.swapping.RLock()
	defer s.swapping.RUnlock()
	return s.logged
}

// realPath is the absolute path without symbolic links.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// prepareFile brings the file forward and looks at what is in it.
func (s *Store) prepareFile(ctx context.Context, db *sql.DB) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := migrate(ctx, conn); err != nil {
		return err
	}
	if err := probe(ctx, conn); err != nil {
		return err
	}
	var highest int64
	if err := conn.QueryRowContext(ctx, highestReport).Scan(&highest); err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	s.highest = max(s.highest, highest)
	if s.found == nil {
		found := leftBehind{highest: highest}
		if err := conn.QueryRowContext(ctx, "SELECT COALESCE(("+lastWritten+"), 0)").Scan(&found.written); err != nil {
			return fmt.Errorf("looking at the file: %w", err)
		}
		s.found = &found
	}
	return nil
}

// probes read what a start needs at once, and see that the file may be written. More
// would take long in a large file: the rest is read when it is needed, and by
// [Store.Inspect].
var probes = []string{
	"BEGIN IMMEDIATE",
	// Of a file that is read-only SQLite says so to a write only.
	"DELETE FROM moments WHERE name = ''",
	"SELECT COUNT(*) FROM calls WHERE state || '' <> call",
	"SELECT COUNT(*), MAX(id) FROM ended_calls",
	// Asked for both at once, SQLite reads everything between them.
	"SELECT MIN(id) FROM outbox",
	"SELECT MAX(id) FROM outbox",
	"SELECT MIN(id) FROM events",
	"SELECT MAX(id) FROM events",
	"SELECT COUNT(*) FROM moments",
	"COMMIT",
}

// highestReport is the highest id that a report has, or had when the file was made.
const highestReport = `SELECT MAX(id) FROM (SELECT MAX(highest) AS id FROM numbering UNION ALL SELECT MAX(id) FROM outbox
	UNION ALL SELECT MAX(id) FROM deliveries UNION ALL SELECT MAX(id) FROM dead_letters UNION ALL SELECT MAX(id) FROM collapsed)`

func probe(ctx context.Context, conn *sql.Conn) error {
	for _, text := range probes {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
			return fmt.Errorf("looking at the file: %w", err)
		}
	}
	return nil
}

// durable are the settings that make every commit durable.
var durable = url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", smallCache, logLimit, ownCheckpoint}}

// modest are those of the readers: what they read they read once.
var modest = url.Values{"_pragma": append(slices.Clone(durable["_pragma"]), "cache_size(-128)")}

// smallCache is 320 KiB of pages, of the 2 MiB that SQLite takes by itself: all that is
// written is written at the end of a table or an index, so that those few pages are
// asked for again and again (measured: no difference in speed). Each page takes twice its
// size of memory.
const smallCache = "cache_size(-320)"

// logLimit is what the write-ahead log is cut to after a burst has made it grow.
const logLimit = "journal_size_limit(67108864)"

// open opens the file with the driver's settings.
func open(path string, settings url.Values, connections int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// openLayered is open for those who flush each commit.
func openLayered(path string, settings url.Values, connections int) (*sql.DB, error) {
	layer, err := vfs.Register()
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", path, err)
	}
	settings = maps.Clone(settings)
	settings.Set("vfs", layer)
	return open(path, settings, connections)
}

// lockFile takes the directory for this process; the kernel gives it back when
// the process ends, however it ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("opening the store's lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	return f, nil
}

// Close commits the writes that wait and closes the file.
func (s *Store) Close() error { return s.release() }

func (s *Store) release() error {
	var errs []error
	if s.checkpointer != nil {
		s.checkpointer.close()
	}
	if s.committer != nil {
		errs = append(errs, s.committer.close())
	}
	s.swapping.RLock()
	defer s.swapping.RUnlock()
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// ErrMoved means that somebody has moved or deleted the file that is in use: what is
// stored goes with it.
var ErrMoved = errors.New("it was moved or deleted while it is in use: stop kontur-ari, put the file and its -wal back, and start it again")

// Check makes one small durable write, to tell whether the store works. The error
// matches [ErrMoved] where that write went astray.
func (s *Store) Check(ctx context.Context) error {
	s.swapping.RLock()
	file := s.file
	s.swapping.RUnlock()
	if now, err := os.Stat(s.path()); errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(file, now) {
		return fmt.Errorf("the store %s: %w", s.path(), ErrMoved)
	}
	if err := s.setMoment(ctx, "checked", s.now()); err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	return nil
}
