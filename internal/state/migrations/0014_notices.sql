-- +goose Up
-- What has been announced of budgets, each once.
CREATE TABLE budget_notices (
    budget_id TEXT    NOT NULL REFERENCES budgets (id) ON DELETE CASCADE,
    begins_at INTEGER NOT NULL, -- of the period
    percent   INTEGER NOT NULL, -- of the amount that was spent
    amount    INTEGER NOT NULL, -- the budget's then: another amount is announced anew
    PRIMARY KEY (budget_id, begins_at, percent, amount)
) STRICT;
