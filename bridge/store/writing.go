package store

import (
	"errors"
	"fmt"
	"net/url"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kontur-ari/bridge/store/vfs"
)

// writing are the settings of the connection that everything is written over: every
// commit is durable. What a transaction writes to the log before its end would wait there
// for the next write when it is rolled back (see package vfs), so it writes nothing then.
var writing = []string{"busy_timeout = 5000", "synchronous = FULL", "cache_size = -320", "cache_spill = OFF"}

// openWriting opens a file that is there for writing. It is not one of database/sql's
// connections: an event is a handful of statements, and what database/sql and its driver
// do for each takes as long as what SQLite does.
func openWriting(path string) (_ *sqlite.Conn, err error) {
	layer, err := vfs.Register()
	if err != nil {
		return nil, err
	}
	name := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"vfs": {layer}}.Encode()}
	conn, err := sqlite.OpenConn(name.String(), sqlite.OpenReadWrite, sqlite.OpenURI)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, conn.Close())
		}
	}()
	for _, setting := range append(writing, logLimit, ownCheckpoint) {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return nil, fmt.Errorf("setting %s: %w", setting, err)
		}
	}
	return conn, nil
}

// statementError is what SQLite has answered to a statement while it ran.
type statementError struct{ err error }

func (e *statementError) Error() string {
	return fmt.Sprintf("%v (%d)", e.err, int(sqlite.ErrCode(e.err)))
}

func (e *statementError) Unwrap() error { return e.err }

// execute runs a statement to its end.
func execute(conn *sqlite.Conn, text string, args []any) error {
	statement, err := prepare(conn, text, args)
	for more := err == nil; more && err == nil; {
		more, err = step(statement)
	}
	return err
}

// step runs a statement to its next row; false where there is none.
func step(statement *sqlite.Stmt) (bool, error) {
	found, err := statement.Step()
	if err != nil {
		return false, &statementError{err}
	}
	return found, nil
}

// prepare makes a statement ready to run. It is compiled once in the life of the
// connection.
func prepare(conn *sqlite.Conn, text string, args []any) (*sqlite.Stmt, error) {
	statement, err := conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	if wanted := statement.BindParamCount(); wanted != len(args) {
		return nil, fmt.Errorf("a statement of %d parameters is given %d", wanted, len(args))
	}
	for i, arg := range args {
		if err := bind(statement, i+1, arg); err != nil {
			return nil, err
		}
	}
	return statement, nil
}

func bind(statement *sqlite.Stmt, place int, arg any) error {
	switch value := arg.(type) {
	case int64:
		statement.BindInt64(place, value)
	case int:
		statement.BindInt64(place, int64(value))
	case bool:
		statement.BindBool(place, value)
	case string:
		statement.BindText(place, value)
	case []byte:
		statement.BindBytes(place, value)
	default:
		return fmt.Errorf("argument %d of a statement is a %T", place, arg)
	}
	return nil
}
