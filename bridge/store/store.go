package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"kontur-ari/bridge"
)

// FileName is the store's file inside storage.directory.
const FileName = "kontur-ari.db"

// readers is how many reads may run at once beside the one writer.
const readers = 4

// ErrLocked means that another process has the store open.
var ErrLocked = errors.New("another kontur-ari uses this storage directory: stop it, or give this one a directory of its own")

// Store is the open file. All methods may be called concurrently, but Close
// only after the others have returned.
type Store struct {
	lock      *os.File
	write     *sql.DB
	read      *sql.DB
	committer *committer
	now       func() time.Time
}

var (
	_ bridge.Journal = (*Store)(nil)
	_ bridge.Outbox  = (*Store)(nil)
	_ bridge.Orders  = (*Store)(nil)
)

// Open opens the store in a directory, makes both where they are missing, and
// brings the schema forward. Errors: [ErrLocked], [ErrNewer], or what the disk
// or SQLite says.
func Open(ctx context.Context, directory string) (_ *Store, err error) {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return nil, fmt.Errorf("making the storage directory: %w", err)
	}
	s := &Store{now: time.Now}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if s.lock, err = lockFile(filepath.Join(directory, FileName+".lock")); err != nil {
		return nil, err
	}
	path := filepath.Join(directory, FileName)
	if s.write, err = open(path, durable, 1); err != nil {
		return nil, err
	}
	if s.read, err = open(path, durable, readers); err != nil {
		return nil, err
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", path, err)
	}
	if err := migrate(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the store %s: %w", path, err), conn.Close())
	}
	s.committer = startCommitter(conn)
	return s, nil
}

// durable are the settings that make every commit durable.
var durable = url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}}

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
	if s.committer != nil {
		errs = append(errs, s.committer.close())
	}
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Check makes one small durable write, to tell whether the store works.
func (s *Store) Check(ctx context.Context) error {
	if err := s.setMoment(ctx, "checked", s.now()); err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	return nil
}
