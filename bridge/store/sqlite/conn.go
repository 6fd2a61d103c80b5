package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// Mode says what a connection may do with its file.
type Mode int

// The modes.
const (
	// ModeCreate reads and writes, and makes the file where it is missing.
	ModeCreate Mode = iota
	// ModeWrite reads and writes a file that exists.
	ModeWrite
	// ModeRead reads a file that other processes may write.
	ModeRead
	// ModeImmutable reads a file that no process writes. It needs neither locks nor an index,
	// and so no right to write in the directory.
	ModeImmutable
)

// busyTimeout is how long a statement waits for a lock of another connection.
const busyTimeout = 5 * time.Second

// Conn is one connection to a file. One goroutine uses it at a time.
type Conn struct {
	raw *sqlite.Conn
	// bound counts the bytes of the texts and blobs that statements were given.
	bound int
}

// OpenConn opens a file and applies settings, each the text of a PRAGMA.
func OpenConn(path string, mode Mode, settings ...string) (*Conn, error) {
	flags := sqlite.OpenURI | sqlite.OpenReadWrite
	switch mode {
	case ModeCreate:
		flags |= sqlite.OpenCreate
	case ModeRead, ModeImmutable:
		flags = sqlite.OpenURI | sqlite.OpenReadOnly
	}
	raw, err := sqlite.OpenConn(uri(path, mode), flags)
	if err != nil {
		return nil, wrap(err)
	}
	c := &Conn{raw: raw}
	if err := c.set(settings); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// uri writes a path so that SQLite reads no character of it as a parameter.
func uri(path string, mode Mode) string {
	query := url.Values{}
	if mode == ModeImmutable {
		query.Set("immutable", "1")
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

func (c *Conn) set(settings []string) error {
	c.SetBusyTimeout(busyTimeout)
	for _, setting := range settings {
		if err := c.Exec("PRAGMA " + setting); err != nil {
			return fmt.Errorf("setting %s: %w", setting, err)
		}
	}
	return nil
}

// SetBusyTimeout changes how long a statement waits for a lock of another connection. It is
// five seconds at first.
func (c *Conn) SetBusyTimeout(wait time.Duration) { c.raw.SetBusyTimeout(wait) }

// SetInterrupt has running and later statements fail once done is closed, until it is called
// again. A nil channel interrupts nothing.
func (c *Conn) SetInterrupt(done <-chan struct{}) { c.raw.SetInterrupt(done) }

// Close ends the connection.
func (c *Conn) Close() error { return wrap(c.raw.Close()) }

// Exec runs one statement to its end. The statement stays compiled as long as the connection
// is open, so its text must not contain values.
func (c *Conn) Exec(text string, args ...any) error { return c.Query(text, nil, args...) }

// Query runs one statement and gives its rows to visit, which may be nil. It ends early with
// the first error that visit returns.
func (c *Conn) Query(text string, visit func(Row) error, args ...any) error {
	statement, err := c.prepare(text, args)
	for err == nil {
		found, stepped := statement.Step()
		if stepped != nil || !found {
			return wrap(stepped)
		}
		if visit != nil {
			err = visit(Row{statement})
		}
	}
	if statement != nil {
		// Reset repeats what the last step returned, which was a row.
		_ = statement.Reset()
	}
	return err
}

// First gives the first row of an answer to visit; false where there is none.
func (c *Conn) First(text string, visit func(Row) error, args ...any) (found bool, err error) {
	statement, err := c.prepare(text, args)
	if err != nil {
		return false, err
	}
	if found, err = statement.Step(); err != nil || !found {
		return false, wrap(err)
	}
	err = visit(Row{statement})
	return true, errors.Join(err, wrap(statement.Reset()))
}

func (c *Conn) prepare(text string, args []any) (*sqlite.Stmt, error) {
	statement, err := c.raw.Prepare(text)
	if err != nil {
		return nil, wrap(err)
	}
	return statement, c.bind(statement, args)
}

// Script runs statements one after the other. It begins no transaction.
func (c *Conn) Script(text string) error {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		statement, trailing, err := c.raw.PrepareTransient(text)
		if err != nil {
			return wrap(err)
		}
		for more := true; more && err == nil; {
			more, err = statement.Step()
		}
		if closed := statement.Finalize(); err == nil {
			err = closed
		}
		if err != nil {
			return wrap(err)
		}
		text = text[len(text)-trailing:]
	}
	return nil
}

// LastInsertID is the id of the row that this connection inserted last.
func (c *Conn) LastInsertID() int64 { return c.raw.LastInsertRowID() }

// Changes is how many rows the last INSERT, UPDATE or DELETE of this connection changed.
func (c *Conn) Changes() int { return c.raw.Changes() }

// bind sets the parameters of a statement. A nil []byte is an empty blob, never NULL.
func (c *Conn) bind(statement *sqlite.Stmt, args []any) error {
	if wanted := statement.BindParamCount(); wanted != len(args) {
		return fmt.Errorf("a statement of %d parameters is given %d", wanted, len(args))
	}
	for i, arg := range args {
		switch value := arg.(type) {
		case int64:
			statement.BindInt64(i+1, value)
		case int:
			statement.BindInt64(i+1, int64(value))
		case float64:
			statement.BindFloat(i+1, value)
		case bool:
			statement.BindBool(i+1, value)
		case string:
			statement.BindText(i+1, value)
			c.bound += len(value)
		case []byte:
			statement.BindBytes(i+1, value)
			c.bound += len(value)
		default:
			return fmt.Errorf("argument %d of a statement: a %T is nothing that SQLite stores", i+1, arg)
		}
	}
	return nil
}
