package store

import "errors"

// ErrNewer means that the file was written by a newer version of kontur-ari:
// this one must not touch it.
var ErrNewer = errors.New("the store was written by a newer version of kontur-ari: install that version again, or move the file away to begin a new one")

// migrations bring a store forward, one version each; the index of the last is
// the current version. A migration that has been released is never edited.
var migrations = []string{
	`CREATE TABLE events (
		id       INTEGER PRIMARY KEY,
		received INTEGER NOT NULL, -- milliseconds since 1970, clock of this process
		call     TEXT NOT NULL,    -- '' where none was found
		channel  TEXT NOT NULL,
		type     TEXT NOT NULL,
		raw      BLOB NOT NULL     -- as the switch sent it
	) STRICT;
	CREATE INDEX events_call ON events (call) WHERE call <> '';
	CREATE INDEX events_channel ON events (channel) WHERE channel <> '';
	CREATE INDEX events_received ON events (received);

	CREATE TABLE calls (
		call  TEXT PRIMARY KEY,
		state BLOB NOT NULL
	) STRICT, WITHOUT ROWID;

	CREATE TABLE ended_calls (
		id   INTEGER PRIMARY KEY AUTOINCREMENT,
		call TEXT NOT NULL
	) STRICT;

	CREATE TABLE identities (
		call             TEXT PRIMARY KEY,
		external_id      TEXT NOT NULL,
		communication_id TEXT NOT NULL,
		learnt           INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;

	CREATE TABLE outbox (
		id        INTEGER PRIMARY KEY AUTOINCREMENT,
		call      TEXT NOT NULL,
		committed INTEGER NOT NULL,
		report    BLOB NOT NULL,
		attempts  INTEGER NOT NULL DEFAULT 0,
		reason    TEXT NOT NULL DEFAULT ''
	) STRICT;
	CREATE INDEX outbox_call ON outbox (call, id);

	CREATE TABLE deliveries (
		id        INTEGER PRIMARY KEY, -- that of the outbox
		call      TEXT NOT NULL,
		committed INTEGER NOT NULL,
		settled   INTEGER NOT NULL,
		kind      TEXT NOT NULL,
		attempts  INTEGER NOT NULL,
		status    INTEGER NOT NULL,
		request   BLOB NOT NULL,
		answer    BLOB NOT NULL
	) STRICT;
	CREATE INDEX deliveries_call ON deliveries (call);
	CREATE INDEX deliveries_settled ON deliveries (settled);

	CREATE TABLE dead_letters (
		id        INTEGER PRIMARY KEY, -- that of the outbox
		call      TEXT NOT NULL,
		committed INTEGER NOT NULL,
		settled   INTEGER NOT NULL,
		report    BLOB NOT NULL,
		attempts  INTEGER NOT NULL,
		status    INTEGER NOT NULL,
		request   BLOB NOT NULL,
		answer    BLOB NOT NULL,
		reason    TEXT NOT NULL
	) STRICT;

	CREATE TABLE moments ( -- 'checked': a write by a health check; 'heard': the switch
		name TEXT PRIMARY KEY,
		at   INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;`,

	`CREATE TABLE orders ( -- calls that the CRM has ordered (CALL)
		communication TEXT PRIMARY KEY,
		committed     INTEGER NOT NULL,
		given         BLOB NOT NULL,
		status        TEXT NOT NULL DEFAULT '', -- why it was refused
		message       TEXT NOT NULL DEFAULT ''
	) STRICT, WITHOUT ROWID;
	CREATE INDEX orders_committed ON orders (committed);
	CREATE INDEX identities_communication ON identities (communication_id COLLATE NOCASE);`,

	`ALTER TABLE outbox ADD COLUMN kind TEXT GENERATED ALWAYS AS (report ->> '$.kind') VIRTUAL;
	ALTER TABLE outbox ADD COLUMN uncertain INTEGER NOT NULL DEFAULT 0; -- 1: a try may have reached the CRM
	ALTER TABLE outbox ADD COLUMN returned INTEGER NOT NULL DEFAULT 0;  -- 1: was a dead letter, to be tried again
	CREATE INDEX outbox_returned ON outbox (call) WHERE returned = 1;
	ALTER TABLE dead_letters ADD COLUMN kind TEXT GENERATED ALWAYS AS (report ->> '$.kind') VIRTUAL;
	CREATE INDEX dead_letters_call ON dead_letters (call);
	CREATE INDEX dead_letters_settled ON dead_letters (settled);

	CREATE TABLE collapsed ( -- reports that were not sent: their call was over before the CRM could be told
		id        INTEGER PRIMARY KEY, -- that of the outbox
		call      TEXT NOT NULL,
		committed INTEGER NOT NULL,
		settled   INTEGER NOT NULL,
		report    BLOB NOT NULL,
		kind      TEXT GENERATED ALWAYS AS (report ->> '$.kind') VIRTUAL
	) STRICT;
	CREATE INDEX collapsed_call ON collapsed (call);

	-- What is old is found by the order of the ids.
	DROP INDEX events_received;
	DROP INDEX deliveries_settled;`,

	`CREATE TABLE spans ( -- where in the journal the events of a call, or about a channel, are
		id    INTEGER PRIMARY KEY,
		name  TEXT NOT NULL UNIQUE,       -- of the call or the channel; a call has that of its first channel
		first INTEGER NOT NULL,           -- the id of its first event
		last  INTEGER NOT NULL DEFAULT 0  -- that of its last; 0: there may be more
	) STRICT;
	` + fillCallIndex + `;
	-- A span is written twice; these were with every event.
	DROP INDEX events_call;
	DROP INDEX events_channel;

	CREATE TABLE numbering (highest INTEGER NOT NULL) STRICT; -- no report has an id up to it any more but those that have it already
	INSERT INTO numbering SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox';
	CREATE TABLE outbox_numbered ( -- without AUTOINCREMENT, which writes to one more table with every report
		id        INTEGER PRIMARY KEY,
		call      TEXT NOT NULL,
		committed INTEGER NOT NULL,
		report    BLOB NOT NULL,
		attempts  INTEGER NOT NULL DEFAULT 0,
		reason    TEXT NOT NULL DEFAULT '',
		kind      TEXT GENERATED ALWAYS AS (report ->> '$.kind') VIRTUAL,
		uncertain INTEGER NOT NULL DEFAULT 0, -- 1: a try may have reached the CRM; 2: one is about to be made that may
		returned  INTEGER NOT NULL DEFAULT 0  -- 1: was a dead letter, to be tried again
	) STRICT;
	INSERT INTO outbox_numbered (id, call, committed, report, attempts, reason, uncertain, returned)
		SELECT id, call, committed, report, attempts, reason, uncertain, returned FROM outbox;
	DROP TABLE outbox;
	ALTER TABLE outbox_numbered RENAME TO outbox;
	CREATE INDEX outbox_call ON outbox (call, id);
	CREATE INDEX outbox_returned ON outbox (call) WHERE returned = 1;
	CREATE INDEX outbox_trying ON outbox (id) WHERE uncertain = 2;`,

	`CREATE TABLE recordings ( -- on their way to the CRM, and channels whose recordings are looked for
		id       INTEGER PRIMARY KEY AUTOINCREMENT,
		call     TEXT NOT NULL,
		leg      TEXT NOT NULL,
		since    INTEGER NOT NULL, -- when that leg was connected; 0: nobody was
		channel  TEXT NOT NULL,
		began    INTEGER NOT NULL, -- the life of the channel, clock of the switch
		ended    INTEGER NOT NULL,
		made     INTEGER NOT NULL,
		state    TEXT NOT NULL,
		recorded BLOB NOT NULL,             -- what is known of the channel, as JSON
		place    TEXT NOT NULL DEFAULT '',
		name     BLOB NOT NULL DEFAULT x'', -- of the file: bytes, not text
		stem     BLOB NOT NULL DEFAULT x'', -- the name without its ending, by which it is one recording
		size     INTEGER NOT NULL DEFAULT 0,
		modified INTEGER NOT NULL DEFAULT 0,
		attempts INTEGER NOT NULL DEFAULT 0,
		due      INTEGER NOT NULL DEFAULT 0,
		reason   TEXT NOT NULL DEFAULT '',
		report   INTEGER NOT NULL DEFAULT 0, -- the id of its call-recording
		settled  INTEGER NOT NULL DEFAULT 0, -- when its state became final
		removed  INTEGER NOT NULL DEFAULT 0  -- when the file was, by us
	) STRICT;
	CREATE INDEX recordings_sought ON recordings (id) WHERE state IN ('sought', 'settling');
	CREATE INDEX recordings_due ON recordings (due) WHERE state = 'ready';
	CREATE INDEX recordings_stem ON recordings (stem) WHERE stem <> x'';
	CREATE INDEX recordings_call ON recordings (call);
	CREATE INDEX recordings_told ON recordings (settled) WHERE state = 'told' AND removed = 0;
	CREATE INDEX recordings_report ON recordings (report) WHERE report <> 0;`,

	// A column that is computed is computed with every insert, by reading the JSON.
	`ALTER TABLE outbox DROP COLUMN kind;
	ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT '';
	` + fillKinds,
}

// fillKinds fills in of what kind the reports in the outbox are. One that is no JSON is
// found when it is read.
const fillKinds = "UPDATE outbox SET kind = report ->> '$.kind' WHERE kind = '' AND json_valid(report) AND report ->> '$.kind' IS NOT NULL"

// fillCallIndex fills the call index of a store from its events. That a channel is destroyed is
// the last thing said about it.
const fillCallIndex = `INSERT INTO spans (name, first, last)
		SELECT name, MIN(id), CASE WHEN name IN (SELECT call FROM calls) THEN 0 ELSE MAX(last) END FROM (
			SELECT call AS name, id, id AS last FROM events WHERE call <> ''
			UNION ALL SELECT channel, id, CASE type WHEN 'ChannelDestroyed' THEN id ELSE 0 END FROM events WHERE channel <> '')
		GROUP BY name ORDER BY MIN(id)`
