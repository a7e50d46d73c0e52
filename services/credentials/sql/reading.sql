-- What people and programs are shown.

-- name: credentials_of
SELECT c.credential_id::text, c.framework, c.competency, c.level, c.cause, c.intent, c.issued, c.revoked, c.suspended,
    EXISTS (SELECT FROM credentials.shares s WHERE s.credential_id = c.credential_id AND s.ended IS NULL
        AND (s.until IS NULL OR s.until >= %(today)s)) AS shared
FROM credentials.credentials c
WHERE c.principal_id = %(principal)s AND c.cause > %(after)s
    AND (%(before)s::timestamptz IS NULL OR c.reached_at < %(before)s)
ORDER BY c.cause LIMIT %(limit)s;

-- name: credential
SELECT c.credential_id::text, c.principal_id, c.framework, c.competency, c.level, c.cause, c.reached_at, c.intent,
    c.issued, c.revoked, c.suspended, EXISTS (SELECT FROM credentials.erased e WHERE e.person_id = c.principal_id) AS erased
FROM credentials.credentials c WHERE c.credential_id = %s;
