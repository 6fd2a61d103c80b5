package store

import "context"

// keepNumbering keeps the highest id that a report has had, before rows go that say so:
// an id that somebody has noted must not become another report's.
func (s *Store) keepNumbering(ctx context.Context) error {
	return s.committer.do(ctx, func(tx transaction) error {
		highest := tx.c.store.highest
		if highest == tx.c.numbered {
			return nil
		}
		if err := tx.exec("UPDATE numbering SET highest = MAX(highest, ?)", highest); err != nil {
			return err
		}
		tx.c.numbered = highest
		return nil
	})
}
