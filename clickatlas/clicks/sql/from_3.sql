-- From format 3: links that leave a slice at a time.
CREATE TABLE leaving (link BIGINT NOT NULL);
UPDATE format SET version = 4;
