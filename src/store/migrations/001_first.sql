-- A configured feed and its poll state. One that left the config keeps its row, so that coming back costs nothing.
CREATE TABLE feed (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,               -- for people: secrets masked
  url_hash BLOB NOT NULL,          -- SHA-256 of the real one
  schedule TEXT NOT NULL,          -- as configured; a change moves next_poll
  etag BLOB,
  last_modified BLOB,
  validators_url TEXT,             -- which gave them, secrets masked
  info TEXT NOT NULL DEFAULT '{}', -- what the document says of the feed, JSON
  repairs TEXT NOT NULL DEFAULT '[]', -- what had to be mended to read it, JSON
  hints TEXT NOT NULL DEFAULT '{"skip_hours":[],"skip_days":[]}', -- how often the document asks to be polled, JSON
  entries INTEGER NOT NULL DEFAULT 0, -- how many it ever had
  newest INTEGER,                  -- when the last of them came
  per_day REAL,                    -- how many entries it publishes, a mean that forgets
  guids_repaired INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'new', -- new, ok, failing, gone
  added INTEGER NOT NULL,
  removed INTEGER,                 -- since when it is not in the config
  last_poll INTEGER,
  next_poll INTEGER NOT NULL,
  hold_until INTEGER,
  hold_why TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  error_kind TEXT,
  last_error TEXT,
  had_validators INTEGER NOT NULL DEFAULT 0,
  moved_to TEXT,                   -- where permanent redirects lead, secrets masked
  moved_since INTEGER,
  moved_polls INTEGER NOT NULL DEFAULT 0,
  note TEXT,                       -- the last thing that an editor should know of what it did, and when
  noted INTEGER
) STRICT;

CREATE INDEX feed_due ON feed (next_poll) WHERE removed IS NULL;

-- Origins that asked to be left alone.
CREATE TABLE host (
  origin TEXT PRIMARY KEY,
  hold_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is published: one thing told. Its copies are the entries that name it.
CREATE TABLE story (
  number INTEGER PRIMARY KEY,
  public_id TEXT NOT NULL UNIQUE,  -- minted once
  slug TEXT NOT NULL,              -- ends in the number
  sort_at INTEGER NOT NULL,
  joined_into INTEGER REFERENCES story (number) -- the older story that this one turned out to be
) STRICT;

CREATE INDEX story_joined ON story (joined_into) WHERE joined_into IS NOT NULL;

-- What an editor decided of two stories, a < b: `split` holds them apart, `join` made them one.
CREATE TABLE verdict (
  a INTEGER NOT NULL REFERENCES story (number),
  b INTEGER NOT NULL REFERENCES story (number),
  kind TEXT NOT NULL,
  PRIMARY KEY (a, b)
) STRICT, WITHOUT ROWID;

-- An entry of one feed. Its row outlives its words, so that it never comes back as new.
CREATE TABLE entry (
  number INTEGER PRIMARY KEY,
  feed INTEGER NOT NULL REFERENCES feed (number),
  guid TEXT NOT NULL,
  guid_kind TEXT NOT NULL,
  raw_hash INTEGER NOT NULL,
  fingerprint INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  revised INTEGER,
  revisions INTEGER NOT NULL DEFAULT 0,
  unlisted INTEGER,                -- since when the document lacks it
  story INTEGER NOT NULL REFERENCES story (number),
  reason TEXT NOT NULL,            -- why it is a copy of that story
  score REAL,
  purged INTEGER NOT NULL DEFAULT 0, -- whether retention took its words
  UNIQUE (feed, guid)
) STRICT;

CREATE INDEX entry_story ON entry (story);
CREATE INDEX entry_listed ON entry (feed) WHERE unlisted IS NULL;
CREATE INDEX entry_unlisted ON entry (unlisted) WHERE unlisted IS NOT NULL;

-- Guids that entries had before their feed gave them others.
CREATE TABLE entry_alias (
  feed INTEGER NOT NULL REFERENCES feed (number),
  guid TEXT NOT NULL,
  entry INTEGER NOT NULL REFERENCES entry (number),
  PRIMARY KEY (feed, guid)
) STRICT, WITHOUT ROWID;

-- Keys by which entries with one text are found, each with the days that the entry is of in its upper half, so that what is
-- written and looked for together lies together. They only point to candidates: whoever finds one compares the texts.
CREATE TABLE signature (
  key INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  PRIMARY KEY (key, entry)
) STRICT, WITHOUT ROWID;

-- The words of an entry, JSON; what retention takes away.
CREATE TABLE body (
  entry INTEGER PRIMARY KEY REFERENCES entry (number),
  value TEXT NOT NULL
) STRICT;

-- The addresses by which an entry is recognised; `specific` where no other entry of its feed has it.
CREATE TABLE link (
  key TEXT NOT NULL,
  entry INTEGER NOT NULL REFERENCES entry (number),
  original INTEGER NOT NULL,
  specific INTEGER NOT NULL,
  PRIMARY KEY (key, entry)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_entry ON link (entry);

CREATE TABLE section (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  definition_hash INTEGER NOT NULL,
  atom_id TEXT,                    -- minted once, when the site first had a public address
  first_seen INTEGER NOT NULL,
  gone INTEGER                     -- since when it is not in the config
) STRICT;

-- A story's being in a section. `entered` is null for one that was never in it but may come to be by its age.
CREATE TABLE placement (
  section INTEGER NOT NULL REFERENCES section (number),
  story INTEGER NOT NULL REFERENCES story (number),
  lead INTEGER NOT NULL REFERENCES entry (number),
  lead_feed INTEGER NOT NULL REFERENCES feed (number),
  sort_at INTEGER NOT NULL,
  entered INTEGER,
  left INTEGER,
  rule TEXT,
  why TEXT NOT NULL,
  next_change INTEGER,             -- when time alone calls for a new judgement
  changed INTEGER,                 -- when the shown words last changed
  frozen TEXT,                     -- the words at entering, where edits are ignored
  published_as TEXT,               -- the id that the story has here, where it came by joining: that of the joined one
  archive INTEGER,                 -- the archive document that holds it
  PRIMARY KEY (section, story)
) STRICT, WITHOUT ROWID;

CREATE INDEX placement_shown ON placement (section, sort_at, story) WHERE left IS NULL;
CREATE INDEX placement_story ON placement (story);
CREATE INDEX placement_change ON placement (next_change) WHERE next_change IS NOT NULL;

CREATE INDEX placement_archived ON placement (section, archive) WHERE archive IS NOT NULL;
CREATE INDEX placement_not_archived ON placement (section, sort_at, story)
  WHERE archive IS NULL AND entered IS NOT NULL AND (left IS NULL OR rule IS NULL);

-- Archive documents of a section, numbered from 1: the stories as they were when they were pushed out, JSON packed by zstd.
CREATE TABLE archive (
  section INTEGER NOT NULL REFERENCES section (number),
  number INTEGER NOT NULL,
  made INTEGER NOT NULL,
  stories BLOB NOT NULL,
  PRIMARY KEY (section, number)
) STRICT;

-- What was last published, so that Last-Modified never goes back.
CREATE TABLE edition (
  path TEXT PRIMARY KEY,
  hash BLOB NOT NULL,
  changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE poll_log (
  number INTEGER PRIMARY KEY,
  feed INTEGER NOT NULL REFERENCES feed (number),
  at INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER,
  new INTEGER NOT NULL,
  revised INTEGER NOT NULL,
  error_kind TEXT,
  error TEXT
) STRICT;

CREATE INDEX poll_log_at ON poll_log (at);

-- What the keeper should know: feeds that died, came back, moved or flooded.
CREATE TABLE event (
  number INTEGER PRIMARY KEY,
  feed INTEGER NOT NULL REFERENCES feed (number),
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;

CREATE INDEX event_at ON event (at);

-- Full text, filled in the background; rowid is the entry's number.
CREATE VIRTUAL TABLE search USING fts5 (title, text, author, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');

-- Entries whose text is not in the index yet.
CREATE TABLE unindexed (entry INTEGER PRIMARY KEY) STRICT;

-- Holds something only while it is tried whether the disk takes what a poll brings.
CREATE TABLE probe (room BLOB NOT NULL) STRICT;
