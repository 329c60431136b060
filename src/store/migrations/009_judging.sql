-- Sections are judged again in batches, newest stories first. A section has a row here until all its stories are judged by its
-- present definition.
CREATE TABLE judging (
  section INTEGER PRIMARY KEY REFERENCES section (number),
  is_new INTEGER NOT NULL,         -- whether the section was added; otherwise its definition changed
  judges INTEGER NOT NULL,         -- whether its stories are judged
  names INTEGER NOT NULL,          -- whether its stories get names, because the section became public
  is_whole INTEGER NOT NULL,       -- whether all stories are judged; otherwise those of the feeds in judging_feed
  sort_at INTEGER NOT NULL,        -- all stories are judged down to the one with this time and number, including it
  story INTEGER NOT NULL,
  entered INTEGER NOT NULL DEFAULT 0, -- how many stories entered the section so far, and how many left it
  left_it INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The feeds of a section whose stories are still to be judged: those of the entries with greater guids.
CREATE TABLE judging_feed (
  section INTEGER NOT NULL REFERENCES section (number),
  feed INTEGER NOT NULL REFERENCES feed (number),
  guid TEXT NOT NULL,
  PRIMARY KEY (section, feed)
) STRICT, WITHOUT ROWID;

CREATE INDEX story_sort_at ON story (sort_at);

-- What a section was last judged by: a hash of all but its feeds, and its feeds. A feed of it is in `stale` if its settings
-- changed since. Sets of feeds have one bit a feed, by number. Null: unknown, so a change judges all stories.
ALTER TABLE section ADD COLUMN rules_hash INTEGER;
ALTER TABLE section ADD COLUMN feeds BLOB;
ALTER TABLE section ADD COLUMN stale BLOB;

-- A hash of those settings of a feed that judging reads.
ALTER TABLE feed ADD COLUMN terms INTEGER;

-- The feeds whose stories are still to be marked for the public index: those of the entries with greater guids.
CREATE TABLE marking_feed (
  feed INTEGER PRIMARY KEY REFERENCES feed (number),
  guid TEXT NOT NULL
) STRICT;

-- Has a row while all stories are marked for the public index: those with smaller numbers are still to be marked.
CREATE TABLE marking (below INTEGER NOT NULL) STRICT;
