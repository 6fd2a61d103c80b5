package store

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Fault is what is wrong with the disk, or with the file on it.
type Fault string

// The faults.
const (
	// NoFault: the disk is not to blame.
	NoFault Fault = ""
	// Damaged: what the file holds is not what was written to it.
	Damaged Fault = "damaged"
	// Full: there is no space left, or the quota is used up.
	Full Fault = "full"
	// ReadOnly: nothing may be written there.
	ReadOnly Fault = "read-only"
	// Broken: the disk fails to read or write.
	Broken Fault = "broken"
	// Unopened: the file can't be opened.
	Unopened Fault = "unopened"
	// Busy: another program holds the file for longer than it may.
	Busy Fault = "busy"
)

// errNoDocument is a damage that SQLite does not see: it keeps no sums of what it stores.
var errNoDocument = errors.New("what is stored is not the JSON that was")

// errInconsistent is a damage that SQLite sees only where it is asked for it.
var errInconsistent = errors.New("what is stored is not what was")

// FaultOf says which fault an error of SQLite or of the operating system comes of.
func FaultOf(err error) Fault {
	code, _ := codeOf(err)
	switch code & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return Damaged
	case sqlite3.SQLITE_FULL:
		return Full
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return ReadOnly
	case sqlite3.SQLITE_IOERR:
		return Broken
	case sqlite3.SQLITE_CANTOPEN:
		return Unopened
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return Busy
	}
	switch {
	case errors.Is(err, errNoDocument), errors.Is(err, errInconsistent):
		return Damaged
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return Full
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return ReadOnly
	case errors.Is(err, syscall.EIO):
		return Broken
	}
	return NoFault
}

// codeOf is what SQLite has answered, to a reader or to the writer; false of what is no
// error of SQLite's.
func codeOf(err error) (int, bool) {
	if failure, ok := errors.AsType[*sqlite.Error](err); ok {
		return failure.Code(), true
	}
	if failure, ok := errors.AsType[*codeError](err); ok {
		return failure.code, true
	}
	return 0, false
}

// FaultError says what a fault means for the person who reads of it, and what to do.
type FaultError struct {
	Fault Fault
	// Directory is storage.directory.
	Directory string
	Err       error
}

func (e *FaultError) Error() string {
	return fmt.Sprintf("%s: %v", fmt.Sprintf(advice[e.Fault], e.Directory), e.Err)
}

// Unwrap returns what SQLite or the operating system said.
func (e *FaultError) Unwrap() error { return e.Err }

var advice = map[Fault]string{
	Damaged:  "the store in %s is damaged",
	Full:     "the disk of %s is full: free some space, and kontur-ari goes on by itself",
	ReadOnly: "storage.directory %s can't be written to: let the user of the service write to it and to the files in it, or mount its disk for writing",
	Broken:   "the disk of %s fails to read or write: look at the kernel's log, and see that no quota or limit stops it",
	Unopened: "the store in %s can't be opened: let the user of the service read and write storage.directory and the files in it, and see that its disk is mounted and has space",
	Busy:     "another program keeps the store in %s from being written: end it, such as a sqlite3 shell with an open transaction",
}

// explain adds to an error what its fault means; an error without one stays as it is.
func explain(directory string, err error) error {
	if _, told := errors.AsType[*FaultError](err); told || err == nil || directory == "" {
		return err
	}
	if fault := FaultOf(err); fault != NoFault {
		return &FaultError{Fault: fault, Directory: directory, Err: err}
	}
	return err
}
