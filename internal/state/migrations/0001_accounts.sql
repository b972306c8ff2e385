-- +goose Up
CREATE TABLE organizations (
    id         TEXT    NOT NULL PRIMARY KEY, -- org-…
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL              -- Unix seconds, as all times here
) STRICT;

CREATE TABLE projects (
    id              TEXT    NOT NULL PRIMARY KEY, -- proj_…
    organization_id TEXT    NOT NULL REFERENCES organizations (id),
    name            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id              TEXT    NOT NULL PRIMARY KEY, -- key_…
    organization_id TEXT    NOT NULL REFERENCES organizations (id),
    project_id      TEXT    REFERENCES projects (id), -- null: an admin key
    name            TEXT    NOT NULL,
    hash            BLOB    NOT NULL UNIQUE, -- HMAC-SHA256 of the key, keyed with the secret
    redacted        TEXT    NOT NULL,        -- what may be shown of the key
    created_at      INTEGER NOT NULL,
    revoked_at      INTEGER                  -- null: in force
) STRICT;

-- One row: what the secret beside this database proves itself with.
CREATE TABLE secret_proof (
    proof BLOB NOT NULL
) STRICT;
