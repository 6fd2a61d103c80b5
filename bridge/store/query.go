package store

import (
	"context"
	"database/sql"
	"errors"
)

// scanner is one row of an answer.
type scanner interface{ Scan(dest ...any) error }

// query collects all rows of an answer; with an error, those before it. Where the file turns out to be damaged it has
// it replaced and asks the new one.
func query[T any](ctx context.Context, s *Store, text string, scan func(scanner) (T, error), args ...any) ([]T, error) {
	if s.guard != nil {
		if err := s.guard.wait(ctx); err != nil {
			return nil, err
		}
	}
	from := s.reader()
	all, err := collect(ctx, from, text, scan, args)
	if err == nil || s.committer == nil || ctx.Err() != nil {
		return all, explain(s.directory, err)
	}
	if FaultOf(err) == Damaged {
		if err := s.committer.replace(ctx, from, err); err != nil {
			return nil, explain(s.directory, err)
		}
	}
	if s.reader() != from {
		all, err = collect(ctx, s.reader(), text, scan, args)
	}
	return all, explain(s.directory, err)
}

// reader is what reads go to: another one after a replacement.
func (s *Store) reader() *sql.DB {
	s.swapping.RLock()
	defer s.swapping.RUnlock()
	return s.read
}

func collect[T any](ctx context.Context, from *sql.DB, text string, scan func(scanner) (T, error), args []any) (_ []T, err error) {
	rows, err := from.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
