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

CREATE TRIGGER public_placement_insert AFTER INSERT ON placement BEGIN
  INSERT INTO public_waiting SELECT new.story WHERE NOT EXISTS (SELECT 1 FROM public_waiting WHERE story = new.story);
END;

CREATE TRIGGER public_placement_update AFTER UPDATE OF story, lead, left ON placement
WHEN old.story <> new.story OR old.lead <> new.lead OR (old.left IS NULL) <> (new.left IS NULL) BEGIN
  INSERT INTO public_waiting SELECT new.story WHERE NOT EXISTS (SELECT 1 FROM public_waiting WHERE story = new.story);
  INSERT INTO public_waiting SELECT old.story WHERE NOT EXISTS (SELECT 1 FROM public_waiting WHERE story = old.story);
END;

CREATE TRIGGER public_placement_delete AFTER DELETE ON placement BEGIN
  INSERT INTO public_waiting SELECT old.story WHERE NOT EXISTS (SELECT 1 FROM public_waiting WHERE story = old.story);
END;

CREATE TRIGGER public_entry_update AFTER UPDATE OF story ON entry WHEN old.story <> new.story BEGIN
  INSERT INTO public_waiting SELECT new.story WHERE NOT EXISTS (SELECT 1 FROM public_waiting WHERE story = new.story);
  INSERT INTO public_waiting SELECT old.story WHERE NOT EXISTS (SELECT 1 FROM public_waiting WHERE story = old.story);
END;

CREATE TRIGGER public_body_insert AFTER INSERT ON body BEGIN
  INSERT INTO public_waiting SELECT story FROM entry WHERE number = new.entry
    AND NOT EXISTS (SELECT 1 FROM public_waiting WHERE public_waiting.story = entry.story);
END;

CREATE TRIGGER public_body_update AFTER UPDATE ON body BEGIN
  INSERT INTO public_waiting SELECT story FROM entry WHERE number = new.entry
    AND NOT EXISTS (SELECT 1 FROM public_waiting WHERE public_waiting.story = entry.story);
END;

CREATE TRIGGER public_body_delete AFTER DELETE ON body BEGIN
  INSERT INTO public_waiting SELECT story FROM entry WHERE number = old.entry
    AND NOT EXISTS (SELECT 1 FROM public_waiting WHERE public_waiting.story = entry.story);
END;
