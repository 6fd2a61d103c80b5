package store

import (
	"fmt"

	"kontur-ari/bridge/store/sqlite"
)

// probes read what a start needs at once, and find out whether the file may be written. More
// would take long in a large file: the rest is read when it is needed, and by
// [Store.Inspect].
var probes = []string{
	"BEGIN IMMEDIATE",
	// That a file is read-only SQLite says to a write only.
	"DELETE FROM moments WHERE name = ''",
	"SELECT COUNT(*) FROM calls WHERE state || '' <> call",
	"SELECT COUNT(*), MAX(id) FROM ended_calls",
	// Asked for both at once, SQLite reads everything between them.
	"SELECT MIN(id) FROM outbox",
	"SELECT MAX(id) FROM outbox",
	"SELECT MIN(id) FROM events",
	"SELECT MAX(id) FROM events",
	"SELECT COUNT(*) FROM moments",
	"COMMIT",
}

// highestReport is the highest id that a report has, or had when the file was made.
const highestReport = `SELECT MAX(id) FROM (SELECT MAX(highest) AS id FROM numbering UNION ALL SELECT MAX(id) FROM outbox
	UNION ALL SELECT MAX(id) FROM deliveries UNION ALL SELECT MAX(id) FROM dead_letters UNION ALL SELECT MAX(id) FROM collapsed)`

// prepare looks at a file that was brought forward: as far as that is quick, and before
// anything is written.
func (s *Store) prepare(conn *sqlite.Conn) error {
	for _, text := range probes {
		if err := conn.Exec(text); err != nil {
			// Closing the connection would end the transaction as well.
			_ = conn.Exec("ROLLBACK")
			return fmt.Errorf("looking at the file: %w", err)
		}
	}
	_, err := conn.First(highestReport, func(row sqlite.Row) error { return row.Scan(&s.highest) })
	if err == nil {
		s.leftBehind.highest = s.highest
		_, err = conn.First("SELECT COALESCE(("+lastWritten+"), 0)", func(row sqlite.Row) error { return row.Scan(&s.leftBehind.written) })
	}
	return annotate(err, "looking at the file")
}
