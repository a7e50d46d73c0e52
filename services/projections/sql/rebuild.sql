-- Rebuilding the continuum beside the one in use. `{table}` is the new one's name, `{old}` the one in use.

-- name: rebuild_lock
-- One rebuild at a time; released with the connection.
SELECT pg_try_advisory_lock(7811889, 1);

-- name: standing_of_follower
SELECT f.position FROM projections.followers f WHERE f.name = %s;

-- name: behind_until
-- Who is behind or parked, and up to where they were looked at: what is after that is worked off later.
SELECT u.principal_id, min(u.until) FROM (
    SELECT b.principal_id, coalesce(c.position, 0) AS until
    FROM projections.behind b LEFT JOIN projections.continuum c
        ON c.principal_id = b.principal_id AND c.competency = 0
    UNION ALL
    SELECT p.principal, p.position - 1 FROM projections.parked p WHERE p.follower = %s
) u GROUP BY u.principal_id;

-- name: in_use
-- The table that the view stands on.
SELECT DISTINCT d.relname FROM pg_rewrite r
JOIN pg_depend p ON p.objid = r.oid AND p.classid = 'pg_rewrite'::regclass AND p.refclassid = 'pg_class'::regclass
JOIN pg_class d ON d.oid = p.refobjid AND d.relkind = 'r'
WHERE r.ev_class = 'projections.continuum'::regclass;

-- name: left_over
-- Tables of rebuilds that were broken off.
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'projections'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^continuum_[0-9]+$';

-- name: hold_follower
-- The follower's next batch waits here until we have swapped.
SELECT f.position FROM projections.followers f WHERE f.name = %s FOR UPDATE;

-- name: moved_on
-- Whom the follower has looked at since.
SELECT o.principal_id, o.position FROM projections.{old} o
LEFT JOIN projections.{table} n ON n.principal_id = o.principal_id AND n.competency = 0
WHERE o.competency = 0 AND o.position > coalesce(n.position, 0);

-- name: forget
DELETE FROM projections.{table} WHERE principal_id = %s;

-- name: insert
INSERT INTO projections.{table} (principal_id, competency, level, position, standing, shown)
VALUES (%s, %s, %s, %s, %s, %s);

-- name: create
CREATE TABLE projections.{table} (LIKE projections.{old} INCLUDING ALL);

-- name: swap
CREATE OR REPLACE VIEW projections.continuum AS
    SELECT principal_id, competency, level, position, standing, shown FROM projections.{table};

-- name: drop
DROP TABLE IF EXISTS projections.{table};
