-- Nothing of a private feed gets public: ids and slugs are minted when a public section first shows a story.

-- When a public section first showed the story. Until then its slug is its number.
ALTER TABLE story ADD COLUMN shown INTEGER;

-- Ids that a story is known by but not published under: guids of entries that no public section showed.
CREATE TABLE kept_id (
  id TEXT PRIMARY KEY,
  story INTEGER NOT NULL REFERENCES story (number)
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_id_story ON kept_id (story);

-- Whether the section needs no token or password, as of the last config. Null: unknown.
ALTER TABLE section ADD COLUMN is_public INTEGER;

-- The key of this store. Ids of private stories and sessions of readers are made with it.
CREATE TABLE store_key (key BLOB NOT NULL) STRICT;

INSERT INTO store_key (key) VALUES (randomblob(32));

-- Stories whose id and slug may tell what a private feed says. The next start checks them.
CREATE TABLE unchecked (story INTEGER PRIMARY KEY) STRICT;

INSERT INTO unchecked (story) SELECT number FROM story;
