-- From format 4: clicks by patches of places, counted as time allows.
CREATE TABLE patches (place INTEGER NOT NULL, patch INTEGER NOT NULL, label UBIGINT NOT NULL, step INTEGER NOT NULL);
CREATE TABLE patch_rollup (
    link BIGINT NOT NULL, first INTEGER NOT NULL, patch INTEGER NOT NULL, kind UTINYINT NOT NULL, clicks INTEGER NOT NULL
);
CREATE TABLE patch_owners (link BIGINT NOT NULL, first INTEGER NOT NULL);
UPDATE format SET version = 5;
