package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"

	"zombiezen.com/go/sqlite"
)

func TestEveryErrorHasItsFault(t *testing.T) {
	answer := func(code sqlite.ResultCode) error { return &Error{Code: int(code), Message: "said"} }
	for _, test := range []struct {
		err  error
		want Fault
	}{
		{nil, NoFault},
		{errors.New("something else"), NoFault},
		{answer(sqlite.ResultError), NoFault},
		{answer(sqlite.ResultConstraintUnique), NoFault},
		{answer(sqlite.ResultInterrupt), NoFault},
		{answer(sqlite.ResultNoMem), NoFault},
		{answer(sqlite.ResultMisuse), NoFault},
		{answer(sqlite.ResultSchema), NoFault},
		{answer(sqlite.ResultTooBig), NoFault},
		{answer(sqlite.ResultCorrupt), Damaged},
		{answer(sqlite.ResultCorruptVTab), Damaged},
		{answer(sqlite.ResultNotADB), Damaged},
		{ErrDamaged, Damaged},
		{fmt.Errorf("report 5: %w", ErrDamaged), Damaged},
		{errType, Damaged},
		{answer(sqlite.ResultFull), Full},
		{syscall.ENOSPC, Full},
		{syscall.EDQUOT, Full},
		{&fs.PathError{Op: "write", Path: "a", Err: syscall.ENOSPC}, Full},
		{answer(sqlite.ResultReadOnly), ReadOnly},
		{answer(sqlite.ResultReadOnlyDBMoved), ReadOnly},
		{answer(sqlite.ResultReadOnlyDirectory), ReadOnly},
		{answer(sqlite.ResultPerm), ReadOnly},
		{syscall.EROFS, ReadOnly},
		{syscall.EACCES, ReadOnly},
		{syscall.EPERM, ReadOnly},
		{answer(sqlite.ResultIOErr), Broken},
		{answer(sqlite.ResultIOErrRead), Broken},
		{answer(sqlite.ResultIOErrWrite), Broken},
		{answer(sqlite.ResultIOErrFsync), Broken},
		{answer(sqlite.ResultIOErrSHMMap), Unopened},
		{answer(sqlite.ResultIOErrShortRead), Broken},
		{syscall.EIO, Broken},
		{answer(sqlite.ResultCantOpen), Unopened},
		{answer(sqlite.ResultCantOpenIsDir), Unopened},
		{answer(sqlite.ResultBusy), Busy},
		{answer(sqlite.ResultBusySnapshot), Busy},
		{answer(sqlite.ResultLocked), Busy},
		{fmt.Errorf("committing: %w", answer(sqlite.ResultIOErrFsync)), Broken},
		{errors.Join(errors.New("first"), answer(sqlite.ResultFull)), Full},
		// SQLite's answer counts before what is wrapped with it.
		{errors.Join(answer(sqlite.ResultFull), syscall.EACCES), Full},
		// One that means nothing does not hide the other.
		{errors.Join(answer(sqlite.ResultError), ErrDamaged), Damaged},
	} {
		if got := Classify(test.err); got != test.want {
			t.Errorf("%v is %q, want %q", test.err, got, test.want)
		}
	}
}

func TestAnErrorSaysWhatSQLiteSaid(t *testing.T) {
	conn, err := OpenConn(filepath.Join(t.TempDir(), "a.db"), ModeCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Script("CREATE TABLE a (b INTEGER UNIQUE) STRICT; INSERT INTO a VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"INSERT INTO a VALUES (1)":   "constraint failed: UNIQUE constraint failed: a.b (2067)",
		"SELECT * FROM missing":      "SQL logic error: no such table: missing (1)",
		"SELECT json('{') FROM a":    "SQL logic error: malformed JSON (1)",
		"INSERT INTO a VALUES ('x')": "constraint failed: cannot store TEXT value in INTEGER column a.b (3091)",
	} {
		if err := conn.Exec(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := OpenConn(filepath.Join(t.TempDir(), "nothing.db"), ModeRead); Classify(err) != Unopened {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAColumnOfAnotherTypeIsADamage(t *testing.T) {
	conn, err := OpenConn("", ModeCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	type name string
	var number int64
	var text string
	var named name
	for question, into := range map[string]any{"SELECT 'a'": &number, "SELECT NULL": &number, "SELECT x'00' || NULL": &text, "SELECT null": &named} {
		if _, err := conn.First(question, func(row Row) error { return row.Scan(into) }); Classify(err) != Damaged {
			t.Errorf("%s into a %T: %v", question, into, err)
		}
	}
	var flag bool
	var blob []byte
	var any any
	found, err := conn.First("SELECT ?, ?, ?, ?, ?, x''", func(row Row) error {
		return row.Scan(&number, &text, &named, &flag, &any, &blob)
	}, 7, "a?", "b", true, []byte(nil))
	if err != nil || !found || number != 7 || text != "a?" || named != "b" || !flag || any == nil || blob != nil {
		t.Errorf("read %v %q %q %v %v %v, error %v", number, text, named, flag, any, blob, err)
	}
}
