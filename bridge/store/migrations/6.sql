-- A column that is computed is computed with every insert, by reading the JSON.
ALTER TABLE outbox DROP COLUMN kind;
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT '';
UPDATE outbox SET kind = report ->> '$.kind' WHERE kind = '' AND json_valid(report) AND report ->> '$.kind' IS NOT NULL;
