-- The podcast:guid of a section that is a podcast, made once from the first public address of its RSS document.
ALTER TABLE section ADD COLUMN podcast_guid TEXT;
