package store

import (
	"errors"
	"fmt"

	"kontur-ari/bridge/store/sqlite"
)

// Fault is what is wrong with the disk, or with the file on it.
type Fault = sqlite.Fault

// The faults, see package sqlite.
const (
	NoFault  = sqlite.NoFault
	Damaged  = sqlite.Damaged
	Full     = sqlite.Full
	ReadOnly = sqlite.ReadOnly
	Broken   = sqlite.Broken
	Unopened = sqlite.Unopened
	Busy     = sqlite.Busy
)

// errNoDocument is a damage that SQLite does not see: it keeps no sums of what it stores.
var errNoDocument = fmt.Errorf("it is not the JSON that was stored: %w", sqlite.ErrDamaged)

// FaultOf says which fault an error of SQLite or of the operating system comes of.
func FaultOf(err error) Fault { return sqlite.Classify(err) }

// FaultError says what a fault means for the operator, and what to do. One whose fault is
// [Damaged] matches [bridge.ErrStoreDamaged].
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

// explain adds to an error what its fault means. An error without a fault stays as it is.
func explain(directory string, err error) error {
	if _, explained := errors.AsType[*FaultError](err); explained || err == nil {
		return err
	}
	if fault := FaultOf(err); fault != NoFault {
		return &FaultError{Fault: fault, Directory: directory, Err: err}
	}
	return err
}

// annotate adds to an error what was being done; nil stays nil.
func annotate(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(doing, args...), err)
}
