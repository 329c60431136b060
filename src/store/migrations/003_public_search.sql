-- Full text of what public sections show, filled in the background; rowid is the story's number. Readers search here and
-- nowhere else, so that neither the time nor the order of what they find depends on private texts.
CREATE VIRTUAL TABLE public_search USING fts5 (title, text, author, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');

-- The stories in that index.
CREATE TABLE public_story (
  story INTEGER PRIMARY KEY REFERENCES story (number),
  sort_at INTEGER NOT NULL
) STRICT;

CREATE INDEX public_story_sort_at ON public_story (sort_at);

-- Stories whose public words may have changed since they were last brought into that index.
CREATE TABLE public_waiting (story INTEGER PRIMARY KEY) STRICT;

-- What of the config decided what is public when that index was last brought in line with it, JSON; one row.
CREATE TABLE public_terms (value TEXT NOT NULL) STRICT;
