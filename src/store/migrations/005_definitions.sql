-- In which form the definition was hashed: 1 as the code of its time happened to write it, 2 in the canonical form.
ALTER TABLE section ADD COLUMN definition_format INTEGER NOT NULL DEFAULT 1;
