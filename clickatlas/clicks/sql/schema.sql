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

-- Clicks per period, place and network kind: of every link together (link -1) by part of a month, month and closed
-- year, and by day for busy days; of bundles of links (link -2, -3, …) the same, by part only of large ones; of busy
-- links by month and closed year; and by day, for the days before `kept`, of each link and of every link together.
-- There may be several rows of the same key, also negative ones: they are added up.
CREATE TABLE place_rollup (
    level UTINYINT NOT NULL, link BIGINT NOT NULL, first INTEGER NOT NULL,  -- first day, since 1970
    place INTEGER NOT NULL, kind UTINYINT NOT NULL, clicks INTEGER NOT NULL,
    desktop INTEGER NOT NULL, mobile INTEGER NOT NULL, tablet INTEGER NOT NULL, other INTEGER NOT NULL
);
-- Clicks per period and network kind: by quarter of an hour of every link together (-1), of bundles and of busy links,
-- of the others before `kept`; by day of each link.
CREATE TABLE time_rollup (
    level UTINYINT NOT NULL, link BIGINT NOT NULL, first INTEGER NOT NULL,  -- quarter hour or day, since 1970
    kind UTINYINT NOT NULL, clicks INTEGER NOT NULL,
    desktop INTEGER NOT NULL, mobile INTEGER NOT NULL, tablet INTEGER NOT NULL, other INTEGER NOT NULL
);
-- How many rows each piece of a rollup had when it was merged last, and has now; `owner` is a link below 0, or 0 for
-- all single links.
CREATE TABLE runs (
    rollup VARCHAR NOT NULL, level UTINYINT NOT NULL, owner BIGINT NOT NULL, first INTEGER NOT NULL,
    merged BIGINT NOT NULL, rows BIGINT NOT NULL
);
-- Clicks per quarter of an hour, patch of places and network kind, of every link together and of large bundles, none
-- before `patch_owners`. A patch's quarters are those that its clocks need: where these are whole hours away from UTC,
-- each hour's first. Patch 0: places of which nothing was known. Several rows of a key are added up.
CREATE TABLE patches (place INTEGER NOT NULL, patch INTEGER NOT NULL, label UBIGINT NOT NULL, step INTEGER NOT NULL);
CREATE TABLE patch_rollup (
    link BIGINT NOT NULL, first INTEGER NOT NULL, patch INTEGER NOT NULL, kind UTINYINT NOT NULL, clicks INTEGER NOT NULL
);
CREATE TABLE patch_owners (link BIGINT NOT NULL, first INTEGER NOT NULL);
CREATE TABLE seen (link BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, clicks BIGINT NOT NULL);
CREATE TABLE busy_links (link BIGINT NOT NULL);
CREATE TABLE busy_days (link BIGINT NOT NULL, day INTEGER NOT NULL);  -- of links below 0; since 1970
CREATE TABLE closed_years (first INTEGER NOT NULL);  -- first days of years that have rollups: those that are over
-- Links that are asked for together and counted together: a campaign's, a channel's, a tag's, a workspace's. A member's
-- settled clicks are in its bundle's rollups.
CREATE TABLE bundles (link BIGINT NOT NULL, name VARCHAR NOT NULL, parts BOOLEAN NOT NULL);  -- link below -1
CREATE TABLE members (bundle BIGINT NOT NULL, link BIGINT NOT NULL);
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
CREATE TABLE leaving (link BIGINT NOT NULL);  -- removed links that still have clicks here, for some moments
CREATE TABLE IF NOT EXISTS journal (position BIGINT NOT NULL);
CREATE TABLE format (version INTEGER NOT NULL);
INSERT INTO format VALUES (5);
