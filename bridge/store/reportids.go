package store

import "kontur-ari/bridge/store/sqlite"

// nextReportID gives the id of one more report. The writer alone calls it. An id is not given
// again when the transaction fails.
func (s *Store) nextReportID() int64 {
	s.highest++
	return s.highest
}

// keepReportIDs stores the highest id that a report has had. It belongs into every transaction
// that removes rows with such ids: an id that an operator has noted must not become another
// report's.
func (s *Store) keepReportIDs(tx sqlite.Tx) error {
	return tx.Exec("UPDATE numbering SET highest = ?1 WHERE highest < ?1", s.highest)
}
