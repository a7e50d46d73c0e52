-- What signing reads and writes.

-- name: unsigned_intents
-- Work for one process that has the keys; others pass over it.
SELECT position, credential_id::text, cause, principal_id, key FROM credentials.intents
WHERE issued IS NULL AND unsignable IS NULL AND key = ANY (%s) ORDER BY position LIMIT %s FOR UPDATE SKIP LOCKED;

-- name: any_unsigned
SELECT EXISTS (
    SELECT FROM credentials.intents WHERE issued IS NULL AND unsignable IS NULL AND key = ANY (%s)
);

-- name: count_unsigned
SELECT count(*) FROM credentials.intents WHERE issued IS NULL AND unsignable IS NULL;

-- name: mark_unsignable
UPDATE credentials.intents SET unsignable = %s WHERE position = %s;

-- name: unsignable_again
UPDATE credentials.intents SET unsignable = NULL WHERE unsignable <> 'erased' AND issued IS NULL;

-- name: status_list
SELECT number, entries, changed FROM credentials.status_lists WHERE number = %s;

-- name: revoked_places
SELECT index FROM credentials.status_entries WHERE list = %s AND revoked;

-- name: suspended_places
SELECT index FROM credentials.status_entries WHERE list = %s AND suspended;

-- name: signed_list
SELECT body, changed, valid_until FROM credentials.signed_lists WHERE name = %s;

-- name: try_lock_list
SELECT pg_try_advisory_xact_lock(7811889, hashtext(%s));

-- name: lock_list
SELECT pg_advisory_xact_lock(7811889, hashtext(%s));

-- name: store_signed_list
INSERT INTO credentials.signed_lists (name, changed, valid_until, body) VALUES (%s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE
SET changed = excluded.changed, valid_until = excluded.valid_until, body = excluded.body;
