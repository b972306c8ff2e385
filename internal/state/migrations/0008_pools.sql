-- +goose Up
-- The levels of rate limits, where servers share a database: one server alone
-- keeps them in memory. They are worth little after a crash, so PostgreSQL does
-- not log them.
CREATE TABLE pools (
    name    TEXT    NOT NULL PRIMARY KEY,
    levels  BLOB    NOT NULL,
    used_at INTEGER NOT NULL
) STRICT;

-- +only postgres
ALTER TABLE pools SET UNLOGGED;
-- +only end
