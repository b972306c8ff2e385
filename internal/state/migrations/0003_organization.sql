-- +goose Up
-- One row, whose number grows with every change of what a request is held to:
-- keys, projects, limits, budgets, prices. Who has read them at a number need
-- not read them again until it changes.
CREATE TABLE revision (
    number INTEGER NOT NULL
) STRICT;

INSERT INTO revision (number) VALUES (1);

-- People. The first is the owner, whom Open makes.
CREATE TABLE users (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE, -- user-…
    organization_id TEXT    NOT NULL REFERENCES organizations (id),
    name            TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    role            TEXT    NOT NULL, -- owner or reader
    created_at      INTEGER NOT NULL,
    UNIQUE (organization_id, email)
) STRICT;

ALTER TABLE projects ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN archived_at INTEGER; -- null: active
-- +only sqlite
UPDATE projects SET sequence = rowid;
-- +only end
CREATE UNIQUE INDEX projects_by_age ON projects (organization_id, created_at, sequence);

-- Programs: each belongs to a project and has keys of its own.
CREATE TABLE service_accounts (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE, -- svc_acct_…
    project_id TEXT    NOT NULL REFERENCES projects (id),
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL, -- member or owner
    created_at INTEGER NOT NULL,
    deleted_at INTEGER           -- null: in force
) STRICT;

CREATE INDEX service_accounts_by_project ON service_accounts (project_id, created_at, sequence);

ALTER TABLE api_keys ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN user_id TEXT REFERENCES users (id);                       -- whose it is, or
ALTER TABLE api_keys ADD COLUMN service_account_id TEXT REFERENCES service_accounts (id); -- which program's
ALTER TABLE api_keys ADD COLUMN permission TEXT NOT NULL DEFAULT 'all'; -- all, read_only or restricted
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT '';        -- of a restricted key, with spaces between
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;                     -- null: never
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;                   -- to the minute; null: never
-- +only sqlite
UPDATE api_keys SET sequence = rowid;
-- +only end
CREATE UNIQUE INDEX api_keys_by_age ON api_keys (organization_id, created_at, sequence);
CREATE INDEX api_keys_by_project ON api_keys (project_id, created_at, sequence);
