-- One row per click; words and places are small numbers into the tables below, which
-- keeps a click under 16 bytes on disk and groups faster than hashes would.
CREATE TABLE IF NOT EXISTS clicks (
    time      BIGINT    NOT NULL,  -- milliseconds since 1970 UTC
    link      BIGINT    NOT NULL,
    place     INTEGER   NOT NULL,
    agent     INTEGER   NOT NULL,
    referrer  INTEGER   NOT NULL,
    kind      UTINYINT  NOT NULL,
    flags     UTINYINT  NOT NULL,
    visitor   UBIGINT   NOT NULL
);
CREATE TABLE IF NOT EXISTS places (id INTEGER NOT NULL, key UBIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS agents (
    id INTEGER NOT NULL, device VARCHAR NOT NULL, browser VARCHAR NOT NULL,
    system VARCHAR NOT NULL, language VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS referrers (id INTEGER NOT NULL, host VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS spool_positions (stream VARCHAR NOT NULL, segment INTEGER NOT NULL, "offset" BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS removed_links (link BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS journal (position BIGINT NOT NULL);
