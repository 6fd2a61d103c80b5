CREATE TABLE orders ( -- calls that the CRM has ordered (CALL)
	communication TEXT PRIMARY KEY,
	committed     INTEGER NOT NULL,
	given         BLOB NOT NULL,
	status        TEXT NOT NULL DEFAULT '', -- why it was refused
	message       TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_committed ON orders (committed);
CREATE INDEX identities_communication ON identities (communication_id COLLATE NOCASE);
