-- From format 2: bundles of links, and years only once they are over.
ALTER TABLE busy_days RENAME TO busy_days_2;
CREATE TABLE busy_days (link BIGINT NOT NULL, day INTEGER NOT NULL);
INSERT INTO busy_days SELECT -1, day FROM busy_days_2;
DROP TABLE busy_days_2;
CREATE TABLE closed_years (first INTEGER NOT NULL);
CREATE TABLE bundles (link BIGINT NOT NULL, name VARCHAR NOT NULL, parts BOOLEAN NOT NULL);
CREATE TABLE members (bundle BIGINT NOT NULL, link BIGINT NOT NULL);
DELETE FROM place_rollup WHERE level = 3;
DROP TABLE runs;
CREATE TABLE runs (
    rollup VARCHAR NOT NULL, level UTINYINT NOT NULL, owner BIGINT NOT NULL, first INTEGER NOT NULL,
    merged BIGINT NOT NULL, rows BIGINT NOT NULL
);
INSERT INTO runs SELECT 'place_rollup', level, least(link, 0), first, count(*), count(*) FROM place_rollup GROUP BY ALL;
INSERT INTO runs SELECT 'time_rollup', level, 0, 0, count(*), count(*) FROM time_rollup GROUP BY ALL;
UPDATE format SET version = 3;
