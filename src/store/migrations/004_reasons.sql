-- Why a story is in a section or not is a code (`why`), with what belongs to it (`detail`): the feed that leads, what the rule
-- matched (JSON), or the words of an older version. The rows that are there are converted in batches, see `conversions`.
ALTER TABLE placement ADD COLUMN detail TEXT;

-- LEFT is a keyword of SQL.
ALTER TABLE placement RENAME COLUMN left TO left_at;
