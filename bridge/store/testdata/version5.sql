-- A store as kontur-ari wrote it with version 5 of its schema, brought forward from
-- version 4: calls go on, reports wait, one of them is on its way.
PRAGMA journal_mode = WAL;

CREATE TABLE events (
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
) STRICT, WITHOUT ROWID;

CREATE TABLE orders ( -- calls that the CRM has ordered (CALL)
	communication TEXT PRIMARY KEY,
	committed     INTEGER NOT NULL,
	given         BLOB NOT NULL,
	status        TEXT NOT NULL DEFAULT '', -- why it was refused
	message       TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_committed ON orders (committed);
CREATE INDEX identities_communication ON identities (communication_id COLLATE NOCASE);

PRAGMA user_version = 5;

INSERT INTO outbox (id, call, committed, report, attempts, reason) VALUES (101, '1795433135.27', unixepoch() * 1000, CAST('{"kind":"call-started","call":"1795433135.27","time":"2026-11-23T11:25:35.867Z","direction":"inbound","clientPhone":"anonymous","vatsPhone":"74951112234"}' AS BLOB), 3, 'no answer');
INSERT INTO outbox (id, call, committed, report, attempts, reason) VALUES (102, '1795433135.27', unixepoch() * 1000, CAST('{"kind":"call-event","call":"1795433135.27","time":"2026-11-23T11:25:35.871Z","leg":"1795433135.28","event":"appeared","from":{"type":"client"},"to":{"type":"user","userId":"ae9c0d0e-0000-4000-8000-000000000101"}}' AS BLOB), 0, '');
INSERT INTO outbox (id, call, committed, report, attempts, reason) VALUES (103, '1795433135.27', unixepoch() * 1000, CAST('{"kind":"call-event","call":"1795433135.27","time":"2026-11-23T11:25:38.874Z","leg":"1795433135.28","event":"disconnected","from":{"type":"client"},"to":{"type":"user","userId":"ae9c0d0e-0000-4000-8000-000000000101"}}' AS BLOB), 0, '');
INSERT INTO outbox (id, call, committed, report, attempts, reason) VALUES (104, '1795433135.27', unixepoch() * 1000, CAST('{"kind":"call-event","call":"1795433135.27","time":"2026-11-23T11:25:38.876Z","leg":"1795433135.28","event":"finished","from":{"type":"client"},"to":{"type":"user","userId":"ae9c0d0e-0000-4000-8000-000000000101"}}' AS BLOB), 0, '');
INSERT INTO outbox (id, call, committed, report, attempts, reason) VALUES (105, '1795433135.27', unixepoch() * 1000, CAST('{"kind":"call-finished","call":"1795433135.27","time":"2026-11-23T11:25:38.876Z","direction":"inbound","clientPhone":"anonymous","vatsPhone":"74951112234"}' AS BLOB), 0, '');
INSERT INTO outbox (id, call, committed, report, attempts, reason) VALUES (106, '1795433135.27', unixepoch() * 1000, CAST('{"kind":"register-call","call":"1795433135.27","time":"2026-11-23T11:25:38.876Z","direction":"inbound","clientPhone":"anonymous","vatsPhone":"74951112234","createdAt":"2026-11-23T11:25:35.867Z","items":[{"id":"1795433135.28","from":{"type":"client"},"to":{"type":"user","userId":"ae9c0d0e-0000-4000-8000-000000000101"},"finishedAt":"2026-11-23T11:25:38.874Z"}]}' AS BLOB), 0, '');
INSERT INTO dead_letters VALUES (7, '1795433100.1', 1795433040000, 1795433041000, CAST('{"kind":"call-event","call":"1795433100.1","time":"2026-11-23T11:24:00Z","leg":"1795433100.2","event":"appeared","from":{"type":"client"},"to":{"type":"client"}}' AS BLOB), 1, 409, CAST('{}' AS BLOB), x'', 'the CRM says no');
INSERT INTO deliveries VALUES (6, '1795433100.1', 1795433040000, 1795433041000, 'call-started', 1, 200, CAST('{}' AS BLOB), x'');
INSERT INTO identities VALUES ('1795433100.1', 'Asterisk/1795433100.1', '1841', 1795433041000);
INSERT INTO calls VALUES ('1795433200.1', CAST('{"id":"1795433200.1"}' AS BLOB));
INSERT INTO ended_calls (call) VALUES ('1795433100.1');
INSERT INTO moments VALUES ('heard', 1795433139000);
INSERT INTO events (received, call, channel, type, raw) VALUES (1795433135867, '1795433135.27', '1795433135.27', 'ChannelCreated', CAST('{}' AS BLOB));
INSERT INTO orders (communication, committed, given) VALUES ('1842', 1795433139000, CAST('{"communicationId":"1842"}' AS BLOB));

ALTER TABLE outbox ADD COLUMN kind TEXT GENERATED ALWAYS AS (report ->> '$.kind') VIRTUAL;
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
DROP INDEX deliveries_settled;

UPDATE outbox SET uncertain = 1 WHERE id = 102;
INSERT INTO collapsed (id, call, committed, settled, report) VALUES (100, '1795433100.2', 1795433100000, 1795433130000, CAST('{"call":"1795433100.2","kind":"call-started"}' AS BLOB));
INSERT INTO events (received, call, channel, type, raw) VALUES (1795433136867, '', '1795433135.28', 'ChannelDestroyed', CAST('{}' AS BLOB));

CREATE TABLE spans ( -- where in the journal the events of a call, or about a channel, are
	id    INTEGER PRIMARY KEY,
	name  TEXT NOT NULL UNIQUE,       -- of the call or the channel; a call has that of its first channel
	first INTEGER NOT NULL,           -- the id of its first event
	last  INTEGER NOT NULL DEFAULT 0  -- that of its last; 0: there may be more
) STRICT;
INSERT INTO spans (name, first, last)
	SELECT name, MIN(id), CASE WHEN name IN (SELECT call FROM calls) THEN 0 ELSE MAX(last) END FROM (
		SELECT call AS name, id, id AS last FROM events WHERE call <> ''
		UNION ALL SELECT channel, id, CASE type WHEN 'ChannelDestroyed' THEN id ELSE 0 END FROM events WHERE channel <> '')
	GROUP BY name ORDER BY MIN(id);
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
CREATE INDEX outbox_trying ON outbox (id) WHERE uncertain = 2;

UPDATE outbox SET uncertain = 2 WHERE id = 103;

CREATE TABLE recordings ( -- on their way to the CRM, and channels whose recordings are looked for
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
CREATE INDEX recordings_report ON recordings (report) WHERE report <> 0;
