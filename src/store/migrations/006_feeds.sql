-- Codes in the place of sentences. What an older version wrote in words that are no longer used stays as it is.
UPDATE feed SET hold_why = CASE hold_why
    WHEN 'Retry-After' THEN 'retry_after'
    WHEN 'max-age' THEN 'max_age'
    WHEN 'Expires' THEN 'expires'
    WHEN 'sy:updatePeriod' THEN 'update_period'
    WHEN 'skipHours' THEN 'skip_hours'
    WHEN 'skipDays' THEN 'skip_days'
    WHEN 'its host' THEN 'its_host'
    WHEN 'the host that it redirects to' THEN 'redirect_host'
    ELSE hold_why END
  WHERE hold_why IS NOT NULL;

-- As in 'refused address'.
UPDATE feed SET error_kind = replace(error_kind, ' ', '_') WHERE instr(error_kind, ' ');
UPDATE poll_log SET error_kind = replace(error_kind, ' ', '_') WHERE instr(error_kind, ' ');

-- A list of notes, JSON, each with its code.
UPDATE feed SET note = json_array(json_object('code', 'old', 'words', note)) WHERE note IS NOT NULL;

-- What belongs to the code of an event, JSON.
ALTER TABLE event RENAME COLUMN text TO detail;
UPDATE event SET detail = json_object('words', detail);

-- The repairs of feeds are converted in the code, see `conversions`.
