CREATE TABLE recordings ( -- on their way to the CRM, and channels whose recordings are looked for
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	call     TEXT NOT NULL,
	leg      TEXT NOT NULL,
	since    INTEGER NOT NULL, -- when that leg was connected; 0: it never was
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
