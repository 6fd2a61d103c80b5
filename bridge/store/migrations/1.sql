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
