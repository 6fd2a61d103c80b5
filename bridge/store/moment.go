package store

import (
	"context"
	"fmt"
	"time"
)

// SetLastHeard keeps when the switch was heard last, in milliseconds.
func (s *Store) SetLastHeard(ctx context.Context, at time.Time) error {
	if err := s.setMoment(ctx, "heard", at); err != nil {
		return fmt.Errorf("keeping when the switch was heard last: %w", err)
	}
	return nil
}

// LastHeard returns what [Store.SetLastHeard] kept last; zero for never.
func (s *Store) LastHeard(ctx context.Context) (time.Time, error) {
	found, err := query(ctx, s, "SELECT at FROM moments WHERE name = 'heard'", func(row scanner) (ms int64, err error) { return ms, row.Scan(&ms) })
	if err != nil {
		return time.Time{}, fmt.Errorf("reading when the switch was heard last: %w", err)
	}
	if len(found) == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(found[0]), nil
}

func (s *Store) setMoment(ctx context.Context, name string, at time.Time) error {
	return s.committer.do(ctx, func(tx transaction) error {
		return tx.exec("INSERT INTO moments (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at", name, at.UnixMilli())
	})
}
