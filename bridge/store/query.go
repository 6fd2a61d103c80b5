package store

import (
	"context"
	"errors"
)

// scanner is one row of an answer.
type scanner interface{ Scan(dest ...any) error }

// query collects all rows of an answer.
func query[T any](ctx context.Context, s *Store, text string, scan func(scanner) (T, error), args ...any) (_ []T, err error) {
	rows, err := s.read.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
