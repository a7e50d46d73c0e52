-- What the follower `intend` reads and writes, in the transaction of its batch.

-- name: deployment
SELECT origin, horizon FROM credentials.deployment;

-- name: make_deployment
INSERT INTO credentials.deployment (horizon) VALUES (%s) ON CONFLICT DO NOTHING;

-- name: set_origin
UPDATE credentials.deployment SET origin = %s WHERE origin IS NULL;

-- name: known_causes
-- The credential of each of these causes: the log had an intent for it already.
SELECT DISTINCT cause, credential_id::text FROM credentials.intents WHERE cause = ANY (%s);

-- name: standing_credentials
-- The latest credential of each level that the batch is about, without those of the batch itself.
SELECT DISTINCT ON (c.principal_id, c.competency, c.level)
    c.principal_id, c.competency, c.level, c.credential_id::text, c.cause, c.revoked
FROM credentials.credentials c
JOIN unnest(%s::text[], %s::text[], %s::text[]) AS w(principal_id, competency, level)
    USING (principal_id, competency, level)
WHERE c.cause <> ALL (%s)
ORDER BY c.principal_id, c.competency, c.level, c.cause DESC;

-- name: add_credential
INSERT INTO credentials.credentials (credential_id, cause, principal_id, framework, competency, level, reached_at)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: add_intent
INSERT INTO credentials.intents (position, credential_id, cause, principal_id, key)
VALUES (%(position)s, %(credential_id)s, %(cause)s, %(principal)s, %(key)s) ON CONFLICT DO NOTHING;

-- name: intent_recorded
-- The latest intent decides whether the credential is issued.
UPDATE credentials.credentials SET intent = %(position)s, issued = NULL
WHERE credential_id = %(credential_id)s AND (intent IS NULL OR intent < %(position)s);

-- name: place_recorded
-- Places are given away before the log holds the intent; in a rebuild it is the log that tells of them.
INSERT INTO credentials.status_entries (list, index, credential_id, intent)
VALUES (%(list)s, %(index)s, %(credential_id)s, %(position)s)
ON CONFLICT (list, index) DO UPDATE SET intent = excluded.intent
WHERE status_entries.credential_id = excluded.credential_id;

-- name: list_recorded
INSERT INTO credentials.status_lists (number, entries, used) VALUES (%s, %s, 1)
ON CONFLICT (number) DO NOTHING;

-- name: newest_list
SELECT number, entries, used FROM credentials.status_lists ORDER BY number DESC LIMIT 1 FOR UPDATE;

-- name: open_list
INSERT INTO credentials.status_lists (number, entries) VALUES (%s, %s) ON CONFLICT DO NOTHING;

-- name: take_places
-- Those of the places that were free; they are taken now.
INSERT INTO credentials.status_entries (list, index, credential_id)
SELECT %s, u.index, u.credential_id FROM unnest(%s::integer[], %s::uuid[]) AS u(index, credential_id)
ON CONFLICT DO NOTHING RETURNING credential_id::text, index;

-- name: count_all_places
UPDATE credentials.status_lists l SET used = (SELECT count(*) FROM credentials.status_entries e WHERE e.list = l.number);

-- name: count_places
UPDATE credentials.status_lists SET used = used + %s WHERE number = %s;

-- name: issued
UPDATE credentials.intents SET issued = %(position)s WHERE position = %(intent)s;

-- name: credential_issued
UPDATE credentials.credentials SET issued = %(position)s
WHERE credential_id = %(credential_id)s AND intent = %(intent)s;

-- name: revoke
UPDATE credentials.credentials SET revoked = %(reason)s
WHERE credential_id = %(credential_id)s AND revoked IS NULL;

-- name: revoke_places
UPDATE credentials.status_entries SET revoked = true
WHERE credential_id = %(credential_id)s AND NOT revoked RETURNING list;

-- name: replace_places
-- A reissue ends the places before its own: those of earlier intents.
UPDATE credentials.status_entries e SET revoked = true
FROM credentials.credentials c
WHERE c.credential_id = %(credential_id)s AND e.credential_id = c.credential_id
    AND e.intent < c.intent AND NOT e.revoked RETURNING e.list;

-- name: suspend
UPDATE credentials.credentials SET suspended = %(suspended)s WHERE credential_id = %(credential_id)s;

-- name: suspend_places
UPDATE credentials.status_entries SET suspended = %(suspended)s
WHERE credential_id = %(credential_id)s AND suspended <> %(suspended)s RETURNING list;

-- name: list_changed
UPDATE credentials.status_lists SET changed = changed + 1 WHERE number = ANY (%s);

-- name: add_share
INSERT INTO credentials.shares (share_id, credential_id, granted, until, show_name)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: end_share
UPDATE credentials.shares SET ended = %s WHERE share_id = %s AND ended IS NULL;

-- name: erase
INSERT INTO credentials.erased (person_id, position) VALUES (%s, %s) ON CONFLICT DO NOTHING;
