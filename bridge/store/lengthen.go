package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

const (
	// lengthenFrom is how much must have been written to the write-ahead log for it to be
	// lengthened: there are files that hardly anything is written to.
	lengthenFrom = 1 << 20
	// lengthenedBy is how much it is lengthened by at a time: a commit that
	// comes in between waits for no more.
	lengthenedBy = 1 << 20
	// leastFree is what must be free on the disk for that, or for a log that is as long.
	leastFree = 16 * restartFrom
)

// lengthenLog gives the write-ahead log the length that it will have: as long as it grows,
// each flush has the file system note its new length and what it takes on the disk, which
// takes half as long again as to flush what is written over. Where it fails the log grows by
// itself.
func (s *Store) lengthenLog(ctx context.Context) {
	for more := true; more; {
		// Within a transaction, so that nobody else writes to the log. The transaction may be
		// others' as well, who have nothing to do with it when this fails.
		lengthened := make(chan bool, 1)
		err := s.committer.do(ctx, func(transaction) error {
			length, err := lengthen(s.logPath()+"-wal", lengthenedBy)
			select {
			case <-lengthened: // in a transaction that failed
			default:
			}
			lengthened <- err == nil && length < restartFrom
			return nil
		})
		more = err == nil && <-lengthened
	}
}

// hasRoom tells whether the disk has enough for a log of full length.
func (s *Store) hasRoom() bool {
	var disk syscall.Statfs_t
	return syscall.Fstatfs(s.guard.descriptor, &disk) == nil && int64(disk.Bavail)*int64(disk.Bsize) >= leastFree
}

// lengthen adds zeros to a file unless it is long enough, and returns how long it is. In a
// write-ahead log they are no frame: SQLite reads it up to the first that isn't whole.
func lengthen(path string, by int) (length int64, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return 0, fmt.Errorf("lengthening the write-ahead log: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return 0, fmt.Errorf("lengthening the write-ahead log: %w", err)
	}
	length = info.Size()
	if length >= restartFrom {
		return length, nil
	}
	if _, err = file.WriteAt(make([]byte, by), length); err == nil {
		err = syscall.Fdatasync(int(file.Fd()))
	}
	if err != nil {
		return 0, fmt.Errorf("lengthening the write-ahead log: %w", errors.Join(err, file.Truncate(length)))
	}
	return length + int64(by), nil
}
