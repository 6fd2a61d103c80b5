package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store/rescue"
	"kontur-ari/bridge/store/sqlite"
)

// FileName is the store's file inside storage.directory.
const FileName = "kontur-ari.db"

// ErrLocked means that another process has the store open.
var ErrLocked = errors.New("another kontur-ari uses this storage directory: stop it, or give this one a directory of its own")

// ErrClosed means that the store was closed before the write began.
var ErrClosed = sqlite.ErrClosed

// Store is the open file. All methods may be called concurrently, but Close only after the
// others have returned. Errors that come of the disk are a [*FaultError].
type Store struct {
	directory string
	lock      *os.File
	db        *sqlite.DB
	now       func() time.Time
	// file is what was at the path when it was opened.
	file os.FileInfo
	// rescued are the damages that were found before the file was opened.
	rescued []Damage
	// damaged is closed when damage is found while the file is open.
	damaged chan struct{}
	// noteError says why the next start may not know of that.
	noteError error
	// leftBehind is what the last process left.
	leftBehind leftBehind

	// highest is the highest id that a report has had. index are call index entries known to
	// be in the file. Both belong to the writer.
	highest int64
	index   callIndex
}

var (
	_ bridge.Journal      = (*Store)(nil)
	_ bridge.Outbox       = (*Store)(nil)
	_ bridge.ClickToCalls = (*Store)(nil)
)

// Open opens the store in a directory, makes both where they are missing, and brings the
// schema forward. A file that is damaged is replaced first, see [Store.Rescued]. Errors:
// [ErrLocked], [ErrNewer], [rescue.ErrAgain], or what the disk or SQLite says.
func Open(ctx context.Context, directory string) (_ *Store, err error) {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return nil, explain(directory, fmt.Errorf("making the storage directory: %w", err))
	}
	s := &Store{directory: directory, now: time.Now, damaged: make(chan struct{}), index: make(callIndex)}
	defer func() {
		if err != nil {
			err = explain(directory, errors.Join(err, s.Close()))
		}
	}()
	if s.lock, err = lockFile(filepath.Join(directory, FileName+".lock")); err != nil {
		return nil, err
	}
	if err := s.openRescued(ctx); err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", s.path(), err)
	}
	if s.file, err = os.Stat(s.path()); err != nil {
		return nil, fmt.Errorf("looking at the store: %w", err)
	}
	return s, nil
}

func (s *Store) path() string { return filepath.Join(s.directory, FileName) }

// openRescued opens the file, or the one that replaces it where it is damaged.
func (s *Store) openRescued(ctx context.Context) (err error) {
	if s.rescued, err = rescue.Finish(s.path(), s.now()); err != nil {
		return err
	}
	cause, err := rescue.Look(s.path())
	if err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	if cause == nil {
		if cause = s.openFile(ctx); sqlite.Classify(cause) != sqlite.Damaged {
			return cause
		}
	}
	damage, err := rescuePlan(s.path()).Run(ctx, cause, s.now())
	if err != nil {
		return fmt.Errorf("replacing it: %w; it is damaged: %w", err, cause)
	}
	s.rescued = append(s.rescued, damage)
	return s.openFile(ctx)
}

func (s *Store) openFile(ctx context.Context) (err error) {
	s.db, err = sqlite.Open(ctx, s.path(), sqlite.Options{
		Migrations: migrations, Prepare: s.prepare, RolledBack: func() { clear(s.index) }, Damaged: s.noteDamage,
	})
	if errors.Is(err, sqlite.ErrNewer) {
		err = fmt.Errorf("%w: %w", ErrNewer, err)
	}
	return err
}

// lockFile takes the directory for this process. The kernel gives it back when the process
// ends, however it ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
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
func (s *Store) Close() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close(), s.noteError)
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// write applies a write in a transaction, and says what a fault of the disk means.
func (s *Store) write(ctx context.Context, apply func(sqlite.Tx) error) error {
	return explain(s.directory, s.db.Write(ctx, apply))
}

// read gives the rows of an answer to visit, and says what a fault of the disk means.
func (s *Store) read(ctx context.Context, text string, visit func(sqlite.Row) error, args ...any) error {
	return explain(s.directory, s.db.Read(ctx, text, visit, args...))
}

// ErrMoved means that the file in use was moved or deleted: what is stored goes with it.
var ErrMoved = errors.New("it was moved or deleted while it is in use: stop kontur-ari, put the file and its -wal back, and start it again")

// Check makes one small durable write, and so finds out whether the store works. The error
// matches [ErrMoved] where that write went astray.
func (s *Store) Check(ctx context.Context) error {
	if now, err := os.Stat(s.path()); errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(s.file, now) {
		return fmt.Errorf("the store %s: %w", s.path(), ErrMoved)
	}
	return annotate(s.setTimestamp(ctx, "checked", s.now()), "writing to the store")
}
