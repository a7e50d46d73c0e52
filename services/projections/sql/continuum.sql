-- The continuum's read model, as the follower keeps it and people read it.

-- name: looked_at
-- Up to where each of these principals was looked at.
SELECT principal_id, position FROM projections.continuum WHERE competency = 0 AND principal_id = ANY (%s);

-- name: write_rows
-- json, not jsonb: what is inside stays as it was written, byte for byte.
INSERT INTO projections.continuum (principal_id, competency, level, position, standing, shown)
SELECT u.principal_id, u.competency, u.level, u.position, u.standing, u.shown
FROM json_to_recordset(%s::json)
    AS u(principal_id text, competency integer, level text, position bigint, standing json, shown json)
ON CONFLICT (principal_id, competency) DO UPDATE
SET level = excluded.level, position = excluded.position, standing = excluded.standing, shown = excluded.shown;

-- name: fall_behind
INSERT INTO projections.behind (principal_id) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING;

-- name: all_fall_behind
-- A reassessment looks at every opened dossier.
INSERT INTO projections.behind (principal_id)
SELECT c.principal_id FROM projections.continuum c WHERE c.competency = 0 ON CONFLICT DO NOTHING;

-- name: behind
SELECT b.principal_id FROM projections.behind b ORDER BY b.principal_id COLLATE "C";

-- name: caught_up
DELETE FROM projections.behind WHERE principal_id = ANY (%s);

-- name: of_principal
SELECT c.competency, c.level, c.position, c.standing::text, c.shown::text
FROM projections.continuum c WHERE c.principal_id = %s ORDER BY c.competency;

-- name: of_competency
-- The overall row comes with it: where there is none, there is no dossier.
SELECT c.competency, c.level, c.position, c.standing::text, c.shown::text
FROM projections.continuum c WHERE c.principal_id = %s AND c.competency IN (0, %s) ORDER BY c.competency;

-- name: principals
SELECT c.principal_id FROM projections.continuum c WHERE c.competency = 0 ORDER BY c.principal_id COLLATE "C";

-- name: park
-- As the runner of followers does it with a principal whose event it is at.
INSERT INTO projections.parked (follower, principal, position, reason) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: summaries
-- For each principal and level: whether it is the overall level, and how many competencies stand there.
SELECT c.principal_id, c.level, bool_or(c.competency = 0), count(*) FILTER (WHERE c.competency <> 0)
FROM projections.continuum c WHERE c.level IS NOT NULL GROUP BY c.principal_id, c.level;
