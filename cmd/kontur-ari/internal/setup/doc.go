// Package setup builds objects of the other packages from the configuration. The daemon
// and the commands share it, so that both read the configuration in the same way.
package setup

// UnusableError is an error of the configuration that only the part it is meant for
// finds, after the file itself could be read. A restart can't help.
type UnusableError struct{ Err error }

func (e *UnusableError) Error() string { return e.Err.Error() }

// Unwrap returns what the part says.
func (e *UnusableError) Unwrap() error { return e.Err }
