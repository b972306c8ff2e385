-- +goose Up
-- Requests that their callers may send again, under a key that each made up, and
-- the first answer of each. They are kept for a day.
CREATE TABLE attempts (
    key_id       TEXT    NOT NULL, -- key_…: who sent it
    attempt_key  TEXT    NOT NULL, -- the Idempotency-Key
    id           TEXT    NOT NULL UNIQUE, -- attempt_…
    request      BLOB    NOT NULL, -- SHA-256 of what is asked
    created_at   INTEGER NOT NULL,
    server_id    TEXT    NOT NULL, -- who runs it; empty: nobody
    charged      INTEGER NOT NULL, -- 1: the ledger has it
    status       INTEGER NOT NULL, -- of the answer; 0: there is none yet
    content_type TEXT    NOT NULL,
    model        TEXT    NOT NULL, -- what ran
    body         BLOB,             -- null: none, or too large to keep
    PRIMARY KEY (key_id, attempt_key)
) STRICT;

CREATE INDEX attempts_by_age ON attempts (created_at);
