-- What each poll changes of a feed is a small row of its own, so that a poll without news writes little.
CREATE TABLE poll (
  feed INTEGER PRIMARY KEY REFERENCES feed (number),
  state TEXT NOT NULL DEFAULT 'new', -- new, ok, failing, gone
  next_poll INTEGER NOT NULL,
  last_poll INTEGER,
  hold_until INTEGER,
  hold_why TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  per_day REAL,                    -- how many entries it publishes, a mean that forgets
  etag BLOB,
  last_modified BLOB,
  validators_url TEXT,             -- which gave them, secrets masked
  is_removed INTEGER NOT NULL DEFAULT 0 -- whether feed.removed is set
) STRICT;

INSERT INTO poll SELECT number, state, next_poll, last_poll, hold_until, hold_why, failures, per_day, etag, last_modified,
    validators_url, removed IS NOT NULL
  FROM feed;

DROP INDEX feed_due;
CREATE INDEX poll_due ON poll (next_poll) WHERE is_removed = 0 AND state <> 'gone';

ALTER TABLE feed DROP COLUMN state;
ALTER TABLE feed DROP COLUMN next_poll;
ALTER TABLE feed DROP COLUMN last_poll;
ALTER TABLE feed DROP COLUMN hold_until;
ALTER TABLE feed DROP COLUMN hold_why;
ALTER TABLE feed DROP COLUMN failures;
ALTER TABLE feed DROP COLUMN per_day;
ALTER TABLE feed DROP COLUMN etag;
ALTER TABLE feed DROP COLUMN last_modified;
ALTER TABLE feed DROP COLUMN validators_url;

-- When a poll last brought new entries, and how many.
ALTER TABLE feed ADD COLUMN news_at INTEGER;
ALTER TABLE feed ADD COLUMN news INTEGER;
UPDATE feed SET news_at = log.at, news = log.new
  FROM (SELECT feed, at, new, max(number) FROM poll_log WHERE new > 0 GROUP BY feed) AS log
  WHERE log.feed = feed.number;

-- The log is of news and of failures.
DELETE FROM poll_log WHERE failure IS NULL AND new = 0 AND revised = 0;
