package store

import (
	"fmt"
	"time"

	"kontur-ari/bridge/store/rescue"
	"kontur-ari/bridge/store/sqlite"
)

const (
	// rescuedRows is how many rows of what is kept for support alone are copied from a damaged
	// file: the newest.
	rescuedRows = 5000
	// idMargin is left between the ids of a damaged outbox and new ones when not all of it
	// could be read: ids must not come twice.
	idMargin = 1_000_000
)

// tables are what a rescue copies and [Store.Inspect] looks at, in the order of their worth.
var tables = []rescue.Table{
	{Name: "calls", Key: "call"},
	{Name: "outbox", Key: "id", Document: "report"},
	{Name: "dead_letters", Key: "id", Document: "report"},
	{Name: "identities", Key: "call"},
	{Name: "ended_calls", Key: "id"},
	{Name: "orders", Key: "communication", Document: "given"},
	{Name: "recordings", Key: "id", Document: "recorded"},
	{Name: "moments", Key: "name"},
	{Name: "collapsed", Key: "id", NewestOnly: true, Document: "report"},
	{Name: "deliveries", Key: "id", NewestOnly: true},
	{Name: "events", Key: "id", NewestOnly: true},
}

func rescuePlan(path string) rescue.Plan {
	return rescue.Plan{Path: path, Migrations: migrations, Tables: tables, NewestRows: rescuedRows, Complete: completeRescue}
}

// completeRescue fills in what a new file needs beside the rows of the damaged one.
func completeRescue(c *rescue.Copy) error {
	// The report about such a recording is lost, or it was delivered and its row is not
	// changed yet.
	const unreported = `UPDATE recordings SET state = 'told' WHERE state = 'uploaded' AND report IN (SELECT id FROM deliveries);
		UPDATE recordings SET state = 'ready', report = 0 WHERE state = 'uploaded' AND report NOT IN (SELECT id FROM outbox UNION ALL SELECT id FROM dead_letters)`
	if err := c.To.Script(unreported); err != nil {
		return fmt.Errorf("looking which recordings nobody will tell of: %w", err)
	}
	// An older file has no column for them.
	if err := c.To.Script(fillKinds); err != nil {
		return fmt.Errorf("looking of what kind the reports are: %w", err)
	}
	if err := c.To.Script(fillCallIndex); err != nil {
		return fmt.Errorf("looking where the events of each call are: %w", err)
	}
	return continueReportIDs(c)
}

// continueReportIDs has the ids of reports go on above all that were ever given.
func continueReportIDs(c *rescue.Copy) error {
	highest := max(c.Highest["outbox"], c.Highest["dead_letters"], c.Highest["collapsed"], c.Highest["deliveries"])
	number := func(text string) (n int64, err error) {
		_, err = c.From.First(text, func(row sqlite.Row) error { return row.Scan(&n) })
		return n, err
	}
	// A file of version 3 or earlier says which id it gave last, a later one only what it
	// began with.
	given, err := number("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'")
	known := err == nil && given > 0
	if !known {
		given, err = number("SELECT COALESCE(MAX(highest), 0) FROM numbering")
	}
	if err == nil {
		highest = max(highest, given)
	}
	if !known && len(c.Damage.Unreadable) > 0 {
		// The seconds since 1970 are more than the reports of any office.
		highest = max(highest+idMargin, time.Now().Unix())
	}
	return annotate(c.To.Exec("UPDATE numbering SET highest = ?", highest), "going on with the ids")
}

// fillKinds fills in of what kind the reports in the outbox are. A report that is no JSON is
// found when it is read.
const fillKinds = "UPDATE outbox SET kind = report ->> '$.kind' WHERE kind = '' AND json_valid(report) AND report ->> '$.kind' IS NOT NULL"

// fillCallIndex makes the call index from the events. That a channel is destroyed is the last
// event about it.
const fillCallIndex = `INSERT INTO spans (name, first, last)
		SELECT name, MIN(id), CASE WHEN name IN (SELECT call FROM calls) THEN 0 ELSE MAX(last) END FROM (
			SELECT call AS name, id, id AS last FROM events WHERE call <> ''
			UNION ALL SELECT channel, id, CASE type WHEN 'ChannelDestroyed' THEN id ELSE 0 END FROM events WHERE channel <> '')
		GROUP BY name ORDER BY MIN(id)`
