-- The hooks of the config, and how their receivers answer.
CREATE TABLE hook (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  target_hash BLOB NOT NULL,       -- SHA-256 of the address or command
  first_seen INTEGER NOT NULL,
  gone INTEGER,                    -- when the receiver said that it wants no more messages
  tried INTEGER,                   -- when the last message was sent
  failures INTEGER NOT NULL DEFAULT 0, -- how many attempts failed since the last one that succeeded
  failing_since INTEGER,
  failure TEXT,                    -- the kind of the last failure
  failure_status INTEGER,          -- its HTTP status or exit code
  given_up INTEGER NOT NULL DEFAULT 0  -- how many messages were given up
) STRICT;

-- The messages that wait to be sent. A message is about a story in a section, or about a feed.
CREATE TABLE hook_queue (
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- part of the message's id, so it is never used again
  hook INTEGER NOT NULL REFERENCES hook (number),
  event TEXT NOT NULL,
  at INTEGER NOT NULL,
  due INTEGER NOT NULL,            -- when to try next
  attempts INTEGER NOT NULL DEFAULT 0,
  section INTEGER REFERENCES section (number),
  story INTEGER REFERENCES story (number),
  feed INTEGER REFERENCES feed (number),
  kind TEXT,                       -- what happened to the feed, as in the table event
  detail TEXT
) STRICT;

CREATE INDEX hook_queue_due ON hook_queue (hook, due, number);
CREATE INDEX hook_queue_at ON hook_queue (hook, at);
CREATE INDEX hook_queue_story ON hook_queue (story, section) WHERE story IS NOT NULL;
-- A hook gets each story once, whichever sections it enters.
CREATE UNIQUE INDEX hook_queue_published ON hook_queue (hook, story) WHERE event = 'published';

-- Feeds whose next document is their first: no hook is told of its stories.
CREATE TABLE unread_feed (feed INTEGER PRIMARY KEY REFERENCES feed (number)) STRICT;

INSERT INTO unread_feed SELECT number FROM feed JOIN poll ON poll.feed = feed.number
  WHERE entries = 0 AND state <> 'ok';
