package rescue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"kontur-ari/bridge/store/sqlite"
)

// Plan says what to copy of a damaged file.
type Plan struct {
	Path string
	// Migrations make the new file. The damaged one may be of any earlier version.
	Migrations []string
	// Tables are copied in this order: the most important first.
	Tables []Table
	// NewestRows is how many rows are copied of a table that is [Table.NewestOnly].
	NewestRows int
	// Complete fills in what does not come of a copied row. Its error fails the rescue.
	Complete func(*Copy) error
}

// Table is a table of which rows are copied.
type Table struct {
	Name string
	// Key is the column that orders the rows, and is unique.
	Key string
	// NewestOnly: it is for support alone. The other rows stay in the damaged file.
	NewestOnly bool
	// Document is a column that must hold JSON; "" for none. Rows without are left out.
	Document string
}

// Copy is the copying of one file. All of it happens in one transaction of the new file.
type Copy struct {
	// From is the damaged file, which may answer with any error; To is the new one.
	From, To *sqlite.Conn
	// Highest is the highest key that was read of each table whose keys are numbers.
	Highest map[string]int64
	// Damage says what was copied so far, and what could not be read.
	Damage *Damage

	ctx  context.Context
	plan Plan
}

// Salvaging are the settings that read a file whose schema may be damaged, and change nothing.
var Salvaging = []string{"writable_schema(ON)", "cell_size_check(ON)", "query_only(ON)"}

// building are the settings of a file that is whole and on the disk when it is closed.
var building = []string{"journal_mode(DELETE)", "synchronous(FULL)"}

// fill copies what can be read of the damaged file into a new one, and counts it. An error is
// about the new file, or says that the damaged one can't be read now: see [isLoss].
func (p Plan) fill(ctx context.Context, path string, damage *Damage) (err error) {
	from, err := sqlite.OpenConn(p.Path, sqlite.ModeRead, Salvaging...)
	if _, missing := os.Stat(p.Path); err != nil && sqlite.Classify(err) != sqlite.Damaged && !errors.Is(missing, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		// There is nothing to read: an empty path is a file of its own, without tables.
		if from, err = sqlite.OpenConn("", sqlite.ModeCreate); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := sqlite.OpenConn(path, sqlite.ModeCreate, building...)
	if err != nil {
		return fmt.Errorf("beginning a new store: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	to.SetInterrupt(ctx.Done())
	if err := sqlite.Migrate(to, p.Migrations); err != nil {
		return err
	}
	if err := to.Exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("beginning a new store: %w", err)
	}
	damage.Saved = make(map[string]int)
	c := &Copy{From: from, To: to, Highest: make(map[string]int64), Damage: damage, ctx: ctx, plan: p}
	if err = c.tables(); err == nil && p.Complete != nil {
		err = p.Complete(c)
	}
	if err == nil {
		err = to.Exec("COMMIT")
	}
	if err != nil {
		// The file is removed: what a rollback says is of no use.
		_ = to.Exec("ROLLBACK")
		return fmt.Errorf("saving what can be read: %w", err)
	}
	return nil
}

func (c *Copy) tables() error {
	for _, table := range c.plan.Tables {
		columns, err := c.columns(table.Name)
		if err != nil {
			return err
		}
		if len(columns) == 0 {
			continue
		}
		t := &tableCopy{Copy: c, Table: table, columns: columns, key: slices.Index(columns, table.Key), document: slices.Index(columns, table.Document)}
		if t.key < 0 {
			c.lost(table.Name)
			continue
		}
		if err := t.run(); err != nil {
			return fmt.Errorf("table %s: %w", table.Name, err)
		}
	}
	return nil
}

// isLoss says whether an error of the damaged file means that content is lost. Others come of
// the machine, such as a disk without space for the index of the log. They pass, and a rescue
// that went on would leave rows behind that can be read later.
func isLoss(err error) bool {
	switch sqlite.Classify(err) {
	case sqlite.Full, sqlite.ReadOnly, sqlite.Unopened, sqlite.Busy:
		return false
	}
	return true
}

func (c *Copy) lost(table string) {
	if !slices.Contains(c.Damage.Unreadable, table) {
		c.Damage.Unreadable = append(c.Damage.Unreadable, table)
	}
}

// columns are those that a table has in both files: the damaged one may be of an older version.
func (c *Copy) columns(table string) ([]string, error) {
	now, err := columnsOf(c.To, table)
	if err != nil {
		return nil, err
	}
	then, err := columnsOf(c.From, table)
	if err != nil && !isLoss(err) {
		return nil, fmt.Errorf("reading the damaged store: %w", err)
	}
	if err != nil {
		c.lost(table)
		return nil, nil
	}
	if len(then) == 0 && !c.older(table) {
		c.lost(table)
	}
	return slices.DeleteFunc(now, func(name string) bool { return !slices.Contains(then, name) }), nil
}

// older holds where the damaged file is of a version that had no such table yet.
func (c *Copy) older(table string) bool {
	version, err := c.From.Version()
	if err != nil || version <= 0 || version > len(c.plan.Migrations) {
		return false
	}
	return !strings.Contains(strings.Join(c.plan.Migrations[:version], ""), "CREATE TABLE "+table+" ")
}

// columnsOf names the columns of a table, without those that are computed.
func columnsOf(conn *sqlite.Conn, table string) (names []string, err error) {
	err = conn.Query("SELECT name FROM pragma_table_info(?)", func(row sqlite.Row) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	}, table)
	return names, err
}

// tableCopy is the copying of one table.
type tableCopy struct {
	*Copy
	Table
	columns       []string
	key, document int
}

// run copies rows from the beginning until one can't be read, then from the end.
func (t *tableCopy) run() error {
	rows := fmt.Sprintf("SELECT %s FROM %s", strings.Join(t.columns, ", "), t.Name)
	if t.NewestOnly {
		_, _, err := t.take(fmt.Sprintf("%s ORDER BY %s DESC LIMIT %d", rows, t.Key, t.plan.NewestRows))
		return err
	}
	last, whole, err := t.take(fmt.Sprintf("%s ORDER BY %s", rows, t.Key))
	switch {
	case err != nil || whole:
	case last == nil:
		_, _, err = t.take(fmt.Sprintf("%s ORDER BY %s DESC", rows, t.Key))
	default:
		_, _, err = t.take(fmt.Sprintf("%s WHERE %s > ? ORDER BY %s DESC", rows, t.Key, t.Key), last)
	}
	return err
}

// newFileError is an error of the new file, which ends the copying. A loss in the damaged file
// does not.
type newFileError struct{ error }

func (e newFileError) Unwrap() error { return e.error }

// take copies what a query answers as far as it can be read, and returns the key of the last
// row. An error ends the copying.
func (t *tableCopy) take(text string, args ...any) (last any, whole bool, err error) {
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	err = t.From.Query(text, func(row sqlite.Row) error {
		if err := t.ctx.Err(); err != nil {
			return newFileError{err}
		}
		if err := row.Scan(into...); err != nil {
			return err
		}
		last = values[t.key]
		if err := t.add(values); err != nil {
			return newFileError{err}
		}
		return nil
	}, args...)
	if failed, ok := errors.AsType[newFileError](err); ok {
		return last, false, failed.error
	}
	if err != nil && !isLoss(err) {
		return last, false, fmt.Errorf("reading the damaged store: %w", err)
	}
	if err != nil {
		t.lost(t.Name)
	}
	return last, err == nil, nil
}

// add copies one row, unless it makes no sense.
func (t *tableCopy) add(values []any) error {
	if id, ok := values[t.key].(int64); ok {
		t.Highest[t.Name] = max(t.Highest[t.Name], id)
	}
	if t.document >= 0 {
		if document, ok := values[t.document].([]byte); !ok || !json.Valid(document) {
			t.lost(t.Name)
			return nil
		}
	}
	for i, value := range values {
		// There is no NULL in these tables.
		if value == nil {
			values[i] = []byte{}
		}
	}
	insert := fmt.Sprintf("INSERT OR IGNORE INTO %s (%s) VALUES (%s)", t.Name,
		strings.Join(t.columns, ", "), strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", "))
	if err := t.To.Exec(insert, values...); err != nil {
		if sqlite.Classify(err) != sqlite.NoFault {
			return err
		}
		// A value of another type than its column's.
		t.lost(t.Name)
		return nil
	}
	if t.To.Changes() == 0 {
		t.lost(t.Name)
		return nil
	}
	t.Damage.Saved[t.Name]++
	return nil
}
