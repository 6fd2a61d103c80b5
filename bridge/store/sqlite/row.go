package sqlite

import (
	"errors"
	"fmt"
	"reflect"

	"zombiezen.com/go/sqlite"
)

// errType is a damage that SQLite does not report. The tables are STRICT, so a value of
// another type than its column's was not written by us.
var errType = errors.New("a stored value is of another type than its column")

// Row is one row of an answer. It is valid until the function that got it returns.
type Row struct{ statement *sqlite.Stmt }

// Scan copies the columns, in order, to pointers to int64, int, bool, string, []byte, any or a
// type made of string. An empty blob becomes nil. NULL and a text in place of a number are
// errors that [Classify] calls [Damaged].
func (r Row) Scan(into ...any) error {
	for column, target := range into {
		if err := r.scan(column, target); err != nil {
			return fmt.Errorf("column %d: %w", column+1, err)
		}
	}
	return nil
}

func (r Row) scan(column int, target any) error {
	kind := r.statement.ColumnType(column)
	switch target := target.(type) {
	case *int64:
		*target = r.statement.ColumnInt64(column)
		return wantNumber(kind)
	case *int:
		*target = r.statement.ColumnInt(column)
		return wantNumber(kind)
	case *bool:
		*target = r.statement.ColumnInt64(column) != 0
		return wantNumber(kind)
	case *[]byte:
		*target = r.bytes(column)
		return nil
	case *any:
		*target = r.value(column, kind)
		return nil
	}
	if kind == sqlite.TypeNull {
		return errType
	}
	if text, ok := target.(*string); ok {
		*text = r.statement.ColumnText(column)
		return nil
	}
	named := reflect.ValueOf(target)
	if named.Kind() != reflect.Pointer || named.Elem().Kind() != reflect.String {
		return fmt.Errorf("a %T takes no column", target)
	}
	named.Elem().SetString(r.statement.ColumnText(column))
	return nil
}

func wantNumber(kind sqlite.ColumnType) error {
	if kind != sqlite.TypeInteger {
		return errType
	}
	return nil
}

func (r Row) bytes(column int) []byte {
	length := r.statement.ColumnLen(column)
	if length == 0 {
		return nil
	}
	content := make([]byte, length)
	return content[:r.statement.ColumnBytes(column, content)]
}

// value is a column in the type that it was stored with. A blob is never nil, NULL is.
func (r Row) value(column int, kind sqlite.ColumnType) any {
	switch kind {
	case sqlite.TypeInteger:
		return r.statement.ColumnInt64(column)
	case sqlite.TypeFloat:
		return r.statement.ColumnFloat(column)
	case sqlite.TypeText:
		return r.statement.ColumnText(column)
	case sqlite.TypeBlob:
		return append([]byte{}, r.bytes(column)...)
	}
	return nil
}
