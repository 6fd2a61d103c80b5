package store

import (
	"context"
	"time"

	"kontur-ari/bridge/store/sqlite"
)

// SetLastHeard keeps when the switch was heard last, in milliseconds.
func (s *Store) SetLastHeard(ctx context.Context, at time.Time) error {
	return annotate(s.setTimestamp(ctx, "heard", at), "keeping when the switch was heard last")
}

// LastHeard returns what [Store.SetLastHeard] kept last; zero for never.
func (s *Store) LastHeard(ctx context.Context) (time.Time, error) {
	heard, found, err := queryOne(ctx, s, "SELECT at FROM moments WHERE name = 'heard'", scanOne[int64])
	if !found {
		return time.Time{}, annotate(err, "reading when the switch was heard last")
	}
	return time.UnixMilli(heard), nil
}

func (s *Store) setTimestamp(ctx context.Context, name string, at time.Time) error {
	return s.write(ctx, func(tx sqlite.Tx) error {
		return tx.Exec("INSERT INTO moments (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at", name, at.UnixMilli())
	})
}

// milliseconds are those since 1970, 0 for the zero time.
func milliseconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

// fromMilliseconds is the reverse of milliseconds, in UTC.
func fromMilliseconds(milliseconds int64) time.Time {
	if milliseconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds).UTC()
}
