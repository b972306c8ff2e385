-- +goose Up
-- What clients have uploaded, and what jobs have made for them. The content is
-- the file's blobs, one after the other.
CREATE TABLE files (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE, -- file-…
    project_id TEXT    NOT NULL REFERENCES projects (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,                 -- null: never
    name       TEXT    NOT NULL,        -- as it was sent, without folders
    purpose    TEXT    NOT NULL,
    media_type TEXT    NOT NULL,        -- as it was sent; empty: not
    bytes      INTEGER NOT NULL
) STRICT;

CREATE INDEX files_by_project ON files (project_id, created_at, sequence);
CREATE INDEX files_by_expiry ON files (expires_at);

-- Files that arrive in parts.
CREATE TABLE uploads (
    id         TEXT    NOT NULL PRIMARY KEY, -- upload_…
    project_id TEXT    NOT NULL REFERENCES projects (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,             -- of the whole
    keep_for   INTEGER,                      -- seconds that the file is to be kept; null: ever
    status     TEXT    NOT NULL              -- pending, completed, cancelled or expired
) STRICT;

CREATE INDEX uploads_by_expiry ON uploads (status, expires_at);

-- The parts of pending uploads.
CREATE TABLE upload_parts (
    id         TEXT    NOT NULL PRIMARY KEY, -- part_…
    upload_id  TEXT    NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX upload_parts_by_upload ON upload_parts (upload_id);

-- Contents, which internal/blobs keeps: what no row here names is swept.
CREATE TABLE blobs (
    key      TEXT    NOT NULL PRIMARY KEY,
    owner_id TEXT    NOT NULL, -- of a file or a part
    position INTEGER NOT NULL, -- among the file's, from 0
    bytes    INTEGER NOT NULL,
    UNIQUE (owner_id, position)
) STRICT;
