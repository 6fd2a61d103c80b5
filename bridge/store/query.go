package store

import (
	"context"

	"kontur-ari/bridge/store/sqlite"
)

// reader is a file that answers: the store's, or that of another process.
type reader interface {
	read(ctx context.Context, text string, visit func(sqlite.Row) error, args ...any) error
}

// query collects all rows of an answer; with an error, those before it.
func query[T any](ctx context.Context, from reader, text string, scan func(sqlite.Row) (T, error), args ...any) ([]T, error) {
	var all []T
	err := from.read(ctx, text, func(row sqlite.Row) error {
		one, err := scan(row)
		if err == nil {
			all = append(all, one)
		}
		return err
	}, args...)
	return all, err
}

// queryOne returns the first row of an answer; found is false for none.
func queryOne[T any](ctx context.Context, from reader, text string, scan func(sqlite.Row) (T, error), args ...any) (one T, found bool, err error) {
	all, err := query(ctx, from, text, scan, args...)
	if err != nil || len(all) == 0 {
		return one, false, err
	}
	return all[0], true, nil
}

// scanOne reads the only column of a row.
func scanOne[T any](row sqlite.Row) (value T, err error) { return value, row.Scan(&value) }

// foreignFile is a store's file that a daemon may have open at the same time. One caller uses
// it at a time.
type foreignFile struct{ conn *sqlite.Conn }

func (f foreignFile) read(ctx context.Context, text string, visit func(sqlite.Row) error, args ...any) error {
	f.conn.SetInterrupt(ctx.Done())
	defer f.conn.SetInterrupt(nil)
	err := f.conn.Query(text, visit, args...)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
