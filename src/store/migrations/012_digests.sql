-- Digests of sections: the stories that entered a section in a period, as they were at its end.
CREATE TABLE digest (
  section INTEGER NOT NULL REFERENCES section (number),
  kind TEXT NOT NULL,              -- daily, weekly
  day TEXT NOT NULL,               -- the first day of the period, as 2026-11-29
  ends INTEGER NOT NULL,           -- when the period ended
  more INTEGER NOT NULL,           -- how many further stories entered, for which the digest has no room
  stories BLOB NOT NULL,           -- as in the table archive
  PRIMARY KEY (section, kind, day)
) STRICT;

-- The stories that are in a digest, so that no digest has them again.
CREATE TABLE digested (
  story INTEGER NOT NULL,
  section INTEGER NOT NULL REFERENCES section (number),
  kind TEXT NOT NULL,
  day TEXT NOT NULL,
  PRIMARY KEY (story, section, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX digested_day ON digested (section, kind, day);

-- The sections with digests, and how far they have come.
CREATE TABLE digesting (
  section INTEGER NOT NULL REFERENCES section (number),
  kind TEXT NOT NULL,
  first TEXT NOT NULL,             -- the first day of the first period since the digests were switched on
  day TEXT NOT NULL,               -- the first day of the period whose digest is the next
  since INTEGER NOT NULL,          -- stories that entered earlier are not in the next digest
  PRIMARY KEY (section, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX placement_entered ON placement (section, entered) WHERE left_at IS NULL AND entered IS NOT NULL;
