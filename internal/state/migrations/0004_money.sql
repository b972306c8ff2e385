-- +goose Up
-- Money is in integers of 10^-12 dollar. Nothing here is ever changed or
-- deleted: what corrects a row is another row.
CREATE TABLE ledger (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE, -- of the answer: it is charged once
    created_at      INTEGER NOT NULL,        -- when the request was let in
    organization_id TEXT    NOT NULL REFERENCES organizations (id),
    project_id      TEXT    NOT NULL REFERENCES projects (id),
    user_id         TEXT,                    -- the key's user or service account
    key_id          TEXT    NOT NULL,
    kind            TEXT    NOT NULL,        -- completions or embeddings
    model           TEXT    NOT NULL,        -- what ran
    asked           TEXT    NOT NULL,        -- the name it was asked for by
    input_tokens    INTEGER NOT NULL,        -- cached ones included
    cached_tokens   INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    input_cost      INTEGER NOT NULL,        -- of what was not cached
    cached_cost     INTEGER NOT NULL,
    output_cost     INTEGER NOT NULL
) STRICT;

CREATE INDEX ledger_by_age ON ledger (organization_id, created_at);
CREATE INDEX ledger_by_project ON ledger (project_id, created_at);
CREATE INDEX ledger_by_key ON ledger (key_id, created_at);

-- +only sqlite
-- +goose StatementBegin
CREATE TRIGGER ledger_keeps_rows BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER ledger_keeps_values BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
-- +goose StatementEnd
-- +only postgres
-- +goose StatementBegin
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only';
END $$;
-- +goose StatementEnd

CREATE TRIGGER ledger_keeps_rows BEFORE DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_keeps_values BEFORE UPDATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
-- +only end

-- The operator's prices, in 10^-12 dollar a token. They win over the built-in
-- list.
CREATE TABLE prices (
    model      TEXT    NOT NULL,
    since      INTEGER NOT NULL, -- requests let in from then on
    input      INTEGER NOT NULL,
    cached     INTEGER NOT NULL,
    output     INTEGER NOT NULL,
    PRIMARY KEY (model, since)
) STRICT;

-- How fast a model may be used. Without a project: by every project, and the
-- most that a project's own row may allow.
CREATE TABLE limits (
    organization_id     TEXT    NOT NULL REFERENCES organizations (id),
    project_id          TEXT    NOT NULL DEFAULT '',
    model               TEXT    NOT NULL,
    requests_per_minute INTEGER, -- null: as the organization's, or the default
    tokens_per_minute   INTEGER,
    requests_per_day    INTEGER,
    PRIMARY KEY (organization_id, project_id, model)
) STRICT;

-- What may be spent in a period by an organization, a project or a key.
CREATE TABLE budgets (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE, -- budget_…
    organization_id TEXT    NOT NULL REFERENCES organizations (id),
    subject_id      TEXT    NOT NULL,        -- the id of one of the three
    amount          INTEGER NOT NULL,
    hard            INTEGER NOT NULL,        -- 1: beyond it requests are refused
    every           TEXT    NOT NULL,        -- day, month, or ever
    created_at      INTEGER NOT NULL,
    UNIQUE (subject_id, every, hard)
) STRICT;

-- What has been spent of a budget, and what running requests may still spend.
CREATE TABLE budget_periods (
    budget_id TEXT    NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
    begins_at INTEGER NOT NULL,
    spent     INTEGER NOT NULL,
    held      INTEGER NOT NULL,
    PRIMARY KEY (budget_id, begins_at)
) STRICT;

-- Servers that hold money. Each locks a file while it lives.
CREATE TABLE servers (
    id         TEXT    NOT NULL PRIMARY KEY, -- server_…
    started_at INTEGER NOT NULL
) STRICT;

-- What a running request has taken from a period of a budget.
CREATE TABLE holds (
    id        TEXT    NOT NULL, -- of the answer
    server_id TEXT    NOT NULL REFERENCES servers (id),
    budget_id TEXT    NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
    begins_at INTEGER NOT NULL,
    amount    INTEGER NOT NULL,
    PRIMARY KEY (id, budget_id)
) STRICT;

CREATE INDEX holds_by_server ON holds (server_id);
CREATE INDEX holds_by_budget ON holds (budget_id);
