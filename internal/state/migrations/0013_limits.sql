-- +goose Up
-- Limits of uses that the API names and that this server does not have: they are
-- kept and shown, and hold of themselves.
ALTER TABLE limits ADD COLUMN images_per_minute INTEGER;
ALTER TABLE limits ADD COLUMN audio_megabytes_per_minute INTEGER;
ALTER TABLE limits ADD COLUMN batch_tokens_per_day INTEGER;
