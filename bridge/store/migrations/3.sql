ALTER TABLE outbox ADD COLUMN kind TEXT GENERATED ALWAYS AS (report ->> '$.kind') VIRTUAL;
ALTER TABLE outbox ADD COLUMN uncertain INTEGER NOT NULL DEFAULT 0; -- 1: a try may have reached the CRM
ALTER TABLE outbox ADD COLUMN returned INTEGER NOT NULL DEFAULT 0;  -- 1: was a dead letter, to be tried again
CREATE INDEX outbox_returned ON outbox (call) WHERE returned = 1;
ALTER TABLE dead_letters ADD COLUMN kind TEXT GENERATED ALWAYS AS (report ->> '$.kind') VIRTUAL;
CREATE INDEX dead_letters_call ON dead_letters (call);
CREATE INDEX dead_letters_settled ON dead_letters (settled);

CREATE TABLE collapsed ( -- reports that were not sent: their call was over before any was delivered
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
