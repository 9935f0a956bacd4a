-- One row per click; words and places are small numbers into the tables below. A click arrives in `incoming`;
-- a million at a time move on to `settled`, sorted by link and time, and into the rollups (docs/decisions/0007-rollups.md).
CREATE TABLE settled (
    time      BIGINT    NOT NULL,  -- milliseconds since 1970 UTC; none before `kept`
    link      BIGINT    NOT NULL,
    place     INTEGER   NOT NULL,
    agent     INTEGER   NOT NULL,
    referrer  INTEGER   NOT NULL,
    kind      UTINYINT  NOT NULL,
    flags     UTINYINT  NOT NULL,
    visitor   UINTEGER  NOT NULL   -- 32 bits of the keyed daily hash; 0: not known
);
CREATE TABLE incoming (  -- the same columns; in no rollup yet
    time BIGINT NOT NULL, link BIGINT NOT NULL, place INTEGER NOT NULL, agent INTEGER NOT NULL,
    referrer INTEGER NOT NULL, kind UTINYINT NOT NULL, flags UTINYINT NOT NULL, visitor UINTEGER NOT NULL
);
CREATE VIEW clicks AS FROM settled UNION ALL FROM incoming;

-- Clicks per period, place and network kind: of every link together (link -1) by part of a month, month and year,
-- and by day for busy days; of busy links by month and year; and by day, for the days before `kept`, of each link and
-- of every link together. There may be several rows of the same key, also negative ones: they are added up.
CREATE TABLE place_rollup (
    level UTINYINT NOT NULL, link BIGINT NOT NULL, first INTEGER NOT NULL,  -- first day, since 1970
    place INTEGER NOT NULL, kind UTINYINT NOT NULL, clicks INTEGER NOT NULL,
    desktop INTEGER NOT NULL, mobile INTEGER NOT NULL, tablet INTEGER NOT NULL, other INTEGER NOT NULL
);
-- Clicks per period and network kind: by quarter of an hour of every link together (-1) and of the busy ones, of the
-- others before `kept`; by day of each link.
CREATE TABLE time_rollup (
    level UTINYINT NOT NULL, link BIGINT NOT NULL, first INTEGER NOT NULL,  -- quarter hour or day, since 1970
    kind UTINYINT NOT NULL, clicks INTEGER NOT NULL,
    desktop INTEGER NOT NULL, mobile INTEGER NOT NULL, tablet INTEGER NOT NULL, other INTEGER NOT NULL
);
-- How many rows each piece of a rollup had when it was merged last, and has now.
CREATE TABLE runs (
    rollup VARCHAR NOT NULL, level UTINYINT NOT NULL, every BOOLEAN NOT NULL, first INTEGER NOT NULL,
    merged BIGINT NOT NULL, rows BIGINT NOT NULL
);
CREATE TABLE seen (link BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, clicks BIGINT NOT NULL);
CREATE TABLE busy_links (link BIGINT NOT NULL);
CREATE TABLE busy_days (day INTEGER NOT NULL);  -- since 1970
CREATE TABLE kept (since BIGINT NOT NULL);  -- midnight UTC; single clicks before it are gone, only rollups remain
INSERT INTO kept VALUES (0);

CREATE TABLE IF NOT EXISTS places (id INTEGER NOT NULL, key UBIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS agents (
    id INTEGER NOT NULL, device VARCHAR NOT NULL, browser VARCHAR NOT NULL,
    system VARCHAR NOT NULL, language VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS referrers (id INTEGER NOT NULL, host VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS spool_positions (stream VARCHAR NOT NULL, segment INTEGER NOT NULL, "offset" BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS removed_links (link BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS journal (position BIGINT NOT NULL);
CREATE TABLE format (version INTEGER NOT NULL);
INSERT INTO format VALUES (2);
