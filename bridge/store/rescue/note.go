package rescue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// noteSuffix is the ending of the note that a running process leaves when it finds damage. The
// quick look of a start may not come across it again.
const noteSuffix = ".is-damaged"

// Note has the next start rescue a file that is in use, because of cause. It is durable before
// it returns.
func Note(path string, cause error) (err error) {
	file, err := os.OpenFile(path+noteSuffix, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("noting that the store is damaged: %w", err)
	}
	_, err = file.WriteString(cause.Error() + "\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("noting that the store is damaged: %w", err)
	}
	return syncDirectory(path)
}

// leastSize is less than any file that SQLite has ever finished writing to.
const leastSize = 512

var (
	errLostFile = errors.New("the file is missing, but its write-ahead log is not")
	errTooShort = errors.New("the file is empty, or almost")
)

// Look checks a file without opening it. It finds a note of an earlier process, or a missing or
// empty file whose log SQLite would delete. cause is nil where nothing is wrong.
func Look(path string) (cause, err error) {
	file, err := os.Stat(path)
	switch {
	case err == nil && file.Size() < leastSize:
		return errTooShort, nil
	case err == nil:
		return readNote(path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	log, err := os.Stat(path + "-wal")
	switch {
	case err == nil && log.Size() > 0:
		return errLostFile, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	// A note about a file that was moved away says nothing about a new one.
	return nil, removeNote(path)
}

func readNote(path string) (cause, err error) {
	text, err := os.ReadFile(path + noteSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading why the store is damaged: %w", err)
	}
	// A process that was killed may have left the note empty.
	if said := strings.TrimSpace(string(text)); said != "" {
		return errors.New(said), nil
	}
	return errUnfinished, nil
}

// removeNote removes the note, durably.
func removeNote(path string) error {
	if err := os.Remove(path + noteSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the note that the store is damaged: %w", err)
	}
	return syncDirectory(path)
}
