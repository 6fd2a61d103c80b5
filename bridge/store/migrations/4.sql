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
