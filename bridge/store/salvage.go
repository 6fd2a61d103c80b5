package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// salvagedRows is how many of what is kept for support alone are taken over: the
	// newest. The rest stays in the damaged file, where it can be read at leisure.
	salvagedRows = 5000
	// idMargin is left between the ids of a damaged outbox and new ones when it could
	// not be read to its end: ids must not come twice.
	idMargin = 1_000_000
)

// salvaged are the tables in the order of their worth.
var salvaged = []struct {
	table, key string
	// newest: only as many as salvagedRows.
	newest bool
	// document is a column whose JSON others rely on.
	document string
}{
	{table: "calls", key: "call"},
	{table: "outbox", key: "id", document: "report"},
	{table: "dead_letters", key: "id", document: "report"},
	{table: "identities", key: "call"},
	{table: "ended_calls", key: "id"},
	{table: "orders", key: "communication", document: "given"},
	{table: "recordings", key: "id", document: "recorded"},
	{table: "moments", key: "name"},
	{table: "collapsed", key: "id", newest: true, document: "report"},
	{table: "deliveries", key: "id", newest: true},
	{table: "events", key: "id", newest: true},
}

// salvage is the copying of what can be read of a damaged file.
type salvage struct {
	from *sql.DB
	to   *sql.Tx
	// highest is the highest id that a report is known to have had.
	highest int64
	damage  *Damage
}

// salvageInto copies what can still be read of a damaged file into a new one at a path
// where nothing is, and counts it. An error is about the new file.
func salvageInto(ctx context.Context, damaged, path string, damage *Damage) (err error) {
	from, err := open(damaged, salvaging, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := open(path, building, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	conn, err := to.Conn(ctx)
	if err != nil {
		return fmt.Errorf("beginning a new store: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := migrate(ctx, conn); err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a new store: %w", err)
	}
	s := &salvage{from: from, to: tx, damage: damage}
	if err := s.run(ctx); err != nil {
		return errors.Join(fmt.Errorf("saving what can be read: %w", err), tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("saving what can be read: %w", err)
	}
	return nil
}

// salvaging reads a file whose schema may be damaged, and changes nothing.
var salvaging = url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "writable_schema(ON)", "cell_size_check(ON)", "query_only(ON)"}}

// building makes a file that is whole and on the disk when it is closed.
var building = url.Values{"_pragma": {"journal_mode(DELETE)", "synchronous(FULL)"}}

func (s *salvage) run(ctx context.Context) error {
	s.damage.Saved = make(map[string]int)
	for _, t := range salvaged {
		columns, err := s.columns(ctx, t.table)
		if err != nil {
			return err
		}
		if len(columns) == 0 {
			continue
		}
		c := &tableCopy{salvage: s, table: t.table, columns: columns, key: slices.Index(columns, t.key), document: slices.Index(columns, t.document)}
		if c.key < 0 {
			s.lost(t.table)
			continue
		}
		if err := c.copy(ctx, t.newest); err != nil {
			return fmt.Errorf("table %s: %w", t.table, err)
		}
	}
	// What was to tell of them is lost, or was told and the record of it is.
	const untold = `UPDATE recordings SET state = 'told' WHERE state = 'uploaded' AND report IN (SELECT id FROM deliveries);
		UPDATE recordings SET state = 'ready', report = 0 WHERE state = 'uploaded' AND report NOT IN (SELECT id FROM outbox UNION ALL SELECT id FROM dead_letters)`
	if _, err := s.to.ExecContext(ctx, untold); err != nil {
		return fmt.Errorf("looking which recordings nobody will tell of: %w", err)
	}
	// An older file has no column for them.
	if _, err := s.to.ExecContext(ctx, findKinds); err != nil {
		return fmt.Errorf("looking of what kind the reports are: %w", err)
	}
	if _, err := s.to.ExecContext(ctx, findSpans); err != nil {
		return fmt.Errorf("looking where the events of each call are: %w", err)
	}
	return s.continueIDs(ctx)
}

func (s *salvage) lost(table string) {
	if !slices.Contains(s.damage.Unreadable, table) {
		s.damage.Unreadable = append(s.damage.Unreadable, table)
	}
}

// columns are those that a table has in both files: the damaged one may be of an older
// version.
func (s *salvage) columns(ctx context.Context, table string) ([]string, error) {
	now, err := columnsOf(ctx, s.to, table)
	if err != nil {
		return nil, err
	}
	then, err := columnsOf(ctx, s.from, table)
	if err != nil {
		s.lost(table)
		return nil, nil
	}
	if len(then) == 0 && !s.older(ctx, table) {
		s.lost(table)
	}
	return slices.DeleteFunc(now, func(name string) bool { return !slices.Contains(then, name) }), nil
}

// older holds where the damaged file is of a version that had no such table yet.
func (s *salvage) older(ctx context.Context, table string) bool {
	var version int
	if err := s.from.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version <= 0 || version > len(migrations) {
		return false
	}
	return !strings.Contains(strings.Join(migrations[:version], ""), "CREATE TABLE "+table+" ")
}

type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// columnsOf names the columns of a table, those that are computed left out.
func columnsOf(ctx context.Context, from querier, table string) (names []string, err error) {
	rows, err := from.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// continueIDs has the ids of reports go on above all that were ever given.
func (s *salvage) continueIDs(ctx context.Context) error {
	// A file of version 3 or earlier says what it has given, a later one what it began
	// with.
	given, err := s.number(ctx, "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'")
	known := err == nil && given > 0
	if !known {
		given, err = s.number(ctx, "SELECT COALESCE(MAX(highest), 0) FROM numbering")
	}
	if err == nil {
		s.highest = max(s.highest, given)
	}
	if !known && len(s.damage.Unreadable) > 0 {
		// The seconds since 1970 are more than the reports of any office.
		s.highest = max(s.highest+idMargin, time.Now().Unix())
	}
	if _, err := s.to.ExecContext(ctx, "UPDATE numbering SET highest = ?", s.highest); err != nil {
		return fmt.Errorf("going on with the ids: %w", err)
	}
	return nil
}

func (s *salvage) number(ctx context.Context, text string) (n int64, err error) {
	return n, s.from.QueryRowContext(ctx, text).Scan(&n)
}

// tableCopy is the copying of one table.
type tableCopy struct {
	*salvage
	table         string
	columns       []string
	key, document int
}

// copy takes rows over from the beginning until one can't be read, then from the end.
func (c *tableCopy) copy(ctx context.Context, newest bool) error {
	insert, err := c.to.PrepareContext(ctx, fmt.Sprintf("INSERT OR IGNORE INTO %s (%s) VALUES (%s)",
		c.table, strings.Join(c.columns, ", "), strings.TrimSuffix(strings.Repeat("?, ", len(c.columns)), ", ")))
	if err != nil {
		return err
	}
	rows := fmt.Sprintf("SELECT %s FROM %s", strings.Join(c.columns, ", "), c.table)
	key := c.columns[c.key]
	if newest {
		_, _, err = c.take(ctx, insert, fmt.Sprintf("%s ORDER BY %s DESC LIMIT %d", rows, key, salvagedRows))
		return errors.Join(err, insert.Close())
	}
	last, whole, err := c.take(ctx, insert, fmt.Sprintf("%s ORDER BY %s", rows, key))
	switch {
	case err != nil || whole:
	case last == nil:
		_, _, err = c.take(ctx, insert, fmt.Sprintf("%s ORDER BY %s DESC", rows, key))
	default:
		_, _, err = c.take(ctx, insert, fmt.Sprintf("%s WHERE %s > ? ORDER BY %s DESC", rows, key, key), last)
	}
	return errors.Join(err, insert.Close())
}

// take copies what a query answers as far as it can be read, and returns the key of
// the last row. An error is about the new file.
func (c *tableCopy) take(ctx context.Context, insert *sql.Stmt, text string, args ...any) (last any, whole bool, err error) {
	rows, err := c.from.QueryContext(ctx, text, args...)
	if err != nil {
		c.lost(c.table)
		return nil, false, ctx.Err()
	}
	defer func() { err = errors.Join(err, ctx.Err()) }()
	// What closing says was said by reading.
	defer func() { _ = rows.Close() }()
	values := make([]any, len(c.columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			c.lost(c.table)
			return last, false, nil
		}
		last = values[c.key]
		if err := c.add(ctx, insert, values); err != nil {
			return last, false, err
		}
	}
	if rows.Err() != nil {
		c.lost(c.table)
		return last, false, nil
	}
	return last, true, nil
}

// ownIDs are the tables whose ids are not those of reports.
var ownIDs = []string{"events", "ended_calls", "recordings"}

// add takes one row over, unless it makes no sense.
func (c *tableCopy) add(ctx context.Context, insert *sql.Stmt, values []any) error {
	if id, ok := values[c.key].(int64); ok && !slices.Contains(ownIDs, c.table) {
		c.highest = max(c.highest, id)
	}
	if c.document >= 0 {
		if document, ok := values[c.document].([]byte); !ok || !json.Valid(document) {
			c.lost(c.table)
			return nil
		}
	}
	for i, value := range values {
		// The driver gives an empty blob as none; there is no NULL in these tables.
		if blob, ok := value.([]byte); value == nil || ok && len(blob) == 0 {
			values[i] = []byte{}
		}
	}
	result, err := insert.ExecContext(ctx, values...)
	if err != nil {
		if FaultOf(err) != NoFault {
			return err
		}
		// A value of another type than its column's.
		c.lost(c.table)
		return nil
	}
	if added, err := result.RowsAffected(); err != nil || added == 0 {
		c.lost(c.table)
		return err
	}
	c.damage.Saved[c.table]++
	return nil
}
