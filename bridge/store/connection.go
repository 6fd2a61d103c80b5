package store

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"kontur-ari/bridge/store/vfs"
)

// writing are the settings of the connection that everything is written over: every
// commit is durable. What a transaction writes to the log before its end would wait there
// for the next write when it is rolled back (see package vfs), so it writes nothing then.
var writing = []string{"busy_timeout = 5000", "synchronous = FULL", "cache_size = -320", "cache_spill = OFF", logLimit, ownCheckpoint}

// connection is a connection to SQLite past database/sql. An event is a handful of
// statements, and what database/sql and its driver do for each takes as long as what SQLite
// does. One goroutine uses it at a time.
type connection struct {
	tls      *libc.TLS
	database uintptr
	// statements are compiled once in the life of the connection.
	statements map[string]*statement
	// arguments is memory for the texts of the statement that runs: SQLite reads them there,
	// where Go moves and frees nothing. room is how much it is.
	arguments uintptr
	room      int
}

// keptRoom is how much memory is kept for arguments. What more a statement needs is given
// back with the next.
const keptRoom = 64 << 10

// openWriting opens a file that is there for writing.
func openWriting(path string) (_ *connection, err error) {
	layer, err := vfs.Register()
	if err != nil {
		return nil, err
	}
	c := &connection{tls: libc.NewTLS(), statements: make(map[string]*statement)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if err := c.open(path, layer); err != nil {
		return nil, err
	}
	for _, setting := range writing {
		if err := c.execute("PRAGMA " + setting); err != nil {
			return nil, fmt.Errorf("setting %s: %w", setting, err)
		}
	}
	return c, nil
}

func (c *connection) open(path, layer string) error {
	names, err := libc.CString(path + "\x00" + layer)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, names)
	place := libc.Xcalloc(c.tls, 1, libc.Tsize_t(unsafe.Sizeof(c.database)))
	if place == 0 {
		return errNoMemory
	}
	defer libc.Xfree(c.tls, place)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_EXRESCODE
	code := sqlite3.Xsqlite3_open_v2(c.tls, names, place, flags, names+uintptr(len(path))+1)
	c.database = *at[uintptr](place)
	return c.failure(code)
}

// at is what SQLite keeps at an address: memory that Go does not move or free.
func at[T any](address uintptr) *T {
	return (*T)(*(*unsafe.Pointer)(unsafe.Pointer(&address)))
}

var errNoMemory = errors.New("there is no memory left")

// close ends the connection, also one that could not be opened.
func (c *connection) close() error {
	for _, s := range c.statements {
		sqlite3.Xsqlite3_finalize(c.tls, s.handle)
	}
	clear(c.statements)
	libc.Xfree(c.tls, c.arguments)
	c.arguments, c.room = 0, 0
	err := c.failure(sqlite3.Xsqlite3_close_v2(c.tls, c.database))
	c.tls.Close()
	return err
}

// failure is the error of a code that SQLite has just returned, nil of one that is none.
func (c *connection) failure(code int32) error {
	if code == sqlite3.SQLITE_OK {
		return nil
	}
	text := sqlite3.Xsqlite3_errstr(c.tls, code)
	if c.database != 0 && sqlite3.Xsqlite3_extended_errcode(c.tls, c.database) == code {
		text = sqlite3.Xsqlite3_errmsg(c.tls, c.database)
	}
	return &codeError{code: int(code), text: libc.GoString(text)}
}

// codeError is what SQLite has answered.
type codeError struct {
	code int
	text string
}

func (e *codeError) Error() string { return fmt.Sprintf("%s (%d)", e.text, e.code) }

// execute runs a statement to its end.
func (c *connection) execute(text string, args ...any) error {
	s, err := c.prepare(text, args)
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		more, err = s.step()
	}
	return err
}

// row hands the first row of an answer to read; false where there is none.
func (c *connection) row(text string, read func(*statement), args ...any) (bool, error) {
	s, err := c.prepare(text, args)
	if err != nil {
		return false, err
	}
	found, err := s.step()
	if found {
		read(s)
		sqlite3.Xsqlite3_reset(c.tls, s.handle)
	}
	return found, err
}

// lastRow is the id of the row that was inserted last.
func (c *connection) lastRow() int64 { return sqlite3.Xsqlite3_last_insert_rowid(c.tls, c.database) }

// changes is how many rows the statement before has changed.
func (c *connection) changes() int { return int(sqlite3.Xsqlite3_changes(c.tls, c.database)) }

// prepare makes a statement ready to run.
func (c *connection) prepare(text string, args []any) (*statement, error) {
	s := c.statements[text]
	if s == nil {
		var err error
		if s, err = c.compile(text); err != nil {
			return nil, err
		}
		c.statements[text] = s
	}
	if len(args) != s.parameters {
		return nil, fmt.Errorf("a statement of %d parameters is given %d", s.parameters, len(args))
	}
	if err := c.makeRoom(args); err != nil {
		return nil, err
	}
	used := 0
	for i, arg := range args {
		code, err := s.bind(int32(i+1), arg, &used)
		if err != nil {
			return nil, fmt.Errorf("argument %d of a statement: %w", i+1, err)
		}
		if code != sqlite3.SQLITE_OK {
			return nil, c.failure(code)
		}
	}
	return s, nil
}

func (c *connection) compile(text string) (*statement, error) {
	query, err := libc.CString(text)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, query)
	place := libc.Xcalloc(c.tls, 1, libc.Tsize_t(unsafe.Sizeof(uintptr(0))))
	if place == 0 {
		return nil, errNoMemory
	}
	defer libc.Xfree(c.tls, place)
	code := sqlite3.Xsqlite3_prepare_v3(c.tls, c.database, query, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, place, 0)
	if err := c.failure(code); err != nil {
		return nil, err
	}
	handle := *at[uintptr](place)
	return &statement{connection: c, handle: handle, parameters: int(sqlite3.Xsqlite3_bind_parameter_count(c.tls, handle))}, nil
}

// makeRoom sees that there is memory for the texts among arguments.
func (c *connection) makeRoom(args []any) error {
	needed := 0
	for _, arg := range args {
		switch value := arg.(type) {
		case string:
			needed += len(value)
		case []byte:
			needed += len(value)
		}
	}
	if needed > math.MaxInt32 {
		return fmt.Errorf("%d bytes are more than SQLite stores at once", needed)
	}
	if needed = max(needed, keptRoom); needed == c.room {
		return nil
	}
	libc.Xfree(c.tls, c.arguments)
	c.room = needed
	if c.arguments = libc.Xmalloc(c.tls, libc.Tsize_t(c.room)); c.arguments == 0 {
		c.room = 0
		return errNoMemory
	}
	return nil
}

// keep copies a text to where SQLite finds it. There is room for it.
func (c *connection) keep(text string, used *int) (address uintptr) {
	address = c.arguments + uintptr(*used)
	copy(unsafe.Slice(at[byte](address), len(text)), text)
	*used += len(text)
	return address
}

// statement is a statement of a connection.
type statement struct {
	connection *connection
	handle     uintptr
	parameters int
}

// bind gives a parameter its value. A text is never NULL, also where it is empty or nil.
func (s *statement) bind(place int32, arg any, used *int) (code int32, err error) {
	c := s.connection
	// SQLite takes no copy of a text: it stays as it is until the statement has run.
	const static = sqlite3.SQLITE_STATIC
	switch value := arg.(type) {
	case int64:
		return sqlite3.Xsqlite3_bind_int64(c.tls, s.handle, place, value), nil
	case int:
		return sqlite3.Xsqlite3_bind_int64(c.tls, s.handle, place, int64(value)), nil
	case bool:
		number := int64(0)
		if value {
			number = 1
		}
		return sqlite3.Xsqlite3_bind_int64(c.tls, s.handle, place, number), nil
	case string:
		return sqlite3.Xsqlite3_bind_text(c.tls, s.handle, place, c.keep(value, used), int32(len(value)), static), nil
	case []byte:
		text := c.keep(unsafe.String(unsafe.SliceData(value), len(value)), used)
		return sqlite3.Xsqlite3_bind_blob(c.tls, s.handle, place, text, int32(len(value)), static), nil
	}
	return 0, fmt.Errorf("a %T is nothing that SQLite stores", arg)
}

// step runs a statement to its next row; false where there is none.
func (s *statement) step() (bool, error) {
	tls := s.connection.tls
	code := sqlite3.Xsqlite3_step(tls, s.handle)
	if code == sqlite3.SQLITE_ROW {
		return true, nil
	}
	var err error
	if code != sqlite3.SQLITE_DONE {
		err = s.connection.failure(code)
	}
	// It says again what step has said.
	sqlite3.Xsqlite3_reset(tls, s.handle)
	return false, err
}

// number is a column of the row as a number.
func (s *statement) number(column int32) int64 {
	return sqlite3.Xsqlite3_column_int64(s.connection.tls, s.handle, column)
}

// text is a column of the row as a text.
func (s *statement) text(column int32) string {
	tls := s.connection.tls
	text := sqlite3.Xsqlite3_column_text(tls, s.handle, column)
	if text == 0 {
		return ""
	}
	length := sqlite3.Xsqlite3_column_bytes(tls, s.handle, column)
	return string(unsafe.Slice(at[byte](text), length))
}
