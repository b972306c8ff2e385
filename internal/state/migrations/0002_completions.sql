-- +goose Up
-- Lists are in the order (created_at, sequence): stable, whatever is added.
CREATE TABLE chat_completions (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE, -- chatcmpl-…
    project_id TEXT    NOT NULL REFERENCES projects (id),
    created_at INTEGER NOT NULL,
    model      TEXT    NOT NULL, -- as it was asked for
    completion BLOB    NOT NULL, -- the answer, JSON of the API, without metadata
    messages   BLOB    NOT NULL  -- the request's messages, JSON of the API
) STRICT;

CREATE INDEX chat_completions_by_project ON chat_completions (project_id, created_at, sequence);
CREATE INDEX chat_completions_by_age ON chat_completions (created_at);

-- The metadata of objects, in the order given.
CREATE TABLE object_metadata (
    object_id TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    key       TEXT    NOT NULL,
    value     TEXT    NOT NULL,
    PRIMARY KEY (object_id, key)
) STRICT;

CREATE INDEX object_metadata_by_pair ON object_metadata (key, value);
