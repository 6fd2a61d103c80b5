package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"zombiezen.com/go/sqlite"
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

// ErrDamaged is what a caller wraps where it finds content that SQLite reads without
// complaint and that was never written: [Classify] calls it [Damaged].
var ErrDamaged = errors.New("what is stored is not what was written")

// Error is what SQLite answered.
type Error struct {
	// Code is the extended result code (https://sqlite.org/rescode.html).
	Code int
	// Message is SQLite's text for it, without the code.
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

func (e *Error) primary() sqlite.ResultCode { return sqlite.ResultCode(e.Code).ToPrimary() }

// wrap makes an error of the library one of ours, so that no other package depends on it.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	cause := err
	for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(cause) {
		cause = next
	}
	return &Error{Code: int(sqlite.ErrCode(err)), Message: cause.Error()}
}

// byCode is the fault of each result code that comes of the disk or the file. The extended ones
// say that the index of the log, the -shm file, can't be made, such as for want of space: nothing
// can be read then, but no content is lost.
var byCode = map[sqlite.ResultCode]Fault{
	sqlite.ResultCorrupt:  Damaged,
	sqlite.ResultNotADB:   Damaged,
	sqlite.ResultFull:     Full,
	sqlite.ResultReadOnly: ReadOnly,
	sqlite.ResultPerm:     ReadOnly,
	sqlite.ResultIOErr:    Broken,
	sqlite.ResultCantOpen: Unopened,
	sqlite.ResultBusy:     Busy,
	sqlite.ResultLocked:   Busy,

	sqlite.ResultIOErrSHMOpen: Unopened,
	sqlite.ResultIOErrSHMSize: Unopened,
	sqlite.ResultIOErrSHMLock: Unopened,
	sqlite.ResultIOErrSHMMap:  Unopened,
}

// Classify says which fault an error of SQLite or of the operating system comes of. SQLite's
// answer counts before what wraps it.
func Classify(err error) Fault {
	if answer, ok := errors.AsType[*Error](err); ok {
		for _, code := range []sqlite.ResultCode{sqlite.ResultCode(answer.Code), answer.primary()} {
			if fault, known := byCode[code]; known {
				return fault
			}
		}
	}
	switch {
	case errors.Is(err, ErrDamaged), errors.Is(err, errType):
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

// IsBusy says whether SQLite gave up waiting for the lock of another connection.
func IsBusy(err error) bool { return is(err, sqlite.ResultBusy) }

// IsStatementError says whether a statement failed for what it was given to compute with, such
// as a text that is no JSON.
func IsStatementError(err error) bool { return is(err, sqlite.ResultError) }

func is(err error, code sqlite.ResultCode) bool {
	answer, ok := errors.AsType[*Error](err)
	return ok && answer.primary() == code
}
