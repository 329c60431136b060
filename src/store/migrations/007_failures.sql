-- What failed is a code of its kind (`failure`), with what belongs to it (`failure_detail`, JSON). The sentence that an older
-- version wrote is kept as it is, as words.
ALTER TABLE feed RENAME COLUMN error_kind TO failure;
ALTER TABLE feed RENAME COLUMN last_error TO failure_detail;
UPDATE feed SET failure = coalesce(failure, 'other'),
    failure_detail = json_object('what', 'old', 'kind', coalesce(failure, 'other'), 'words', failure_detail)
  WHERE failure_detail IS NOT NULL;

ALTER TABLE poll_log RENAME COLUMN error_kind TO failure;
ALTER TABLE poll_log RENAME COLUMN error TO failure_detail;
UPDATE poll_log SET failure = coalesce(failure, 'other'),
    failure_detail = json_object('what', 'old', 'kind', coalesce(failure, 'other'), 'words', failure_detail)
  WHERE failure_detail IS NOT NULL;

-- The same in events. That a feed is gone needs no words; those of an older version stay.
UPDATE event SET detail = json_object('words', detail ->> 'error') WHERE kind = 'gone' AND detail ->> 'error' IS NOT NULL;
UPDATE event SET detail = json_set(json_remove(detail, '$.error'), '$.failure', json_object('what', 'old', 'kind',
    coalesce((SELECT failure FROM poll_log WHERE poll_log.feed = event.feed AND poll_log.at = event.at), 'other'),
    'words', detail ->> 'error'))
  WHERE kind = 'died' AND detail ->> 'error' IS NOT NULL;
