-- The continuum: what stands, and what the counting items show. It follows from the log and is derived anew by
-- `mlds rebuild`, beside the one in use, which then takes the view's place. No names, no text.

CREATE TABLE projections.continuum_1 (
    principal_id text    NOT NULL,
    competency   integer NOT NULL,  -- 0: the overall level, a row that every opened dossier has
    level        text,              -- the highest that stands
    position     bigint  NOT NULL,  -- in the overall row: the last event that was looked at; in the others 0
    standing     json    NOT NULL,  -- what stands, by rank
    shown        json    NOT NULL,  -- what counting items show, in the order of their first steps
    PRIMARY KEY (principal_id, competency)
);

CREATE VIEW projections.continuum AS
    SELECT principal_id, competency, level, position, standing, shown FROM projections.continuum_1;

-- Principals of whom not all is looked at that the follower has passed: a reassessment is worked off principal by
-- principal, and one transaction appends only so much.
CREATE TABLE projections.behind (
    principal_id text PRIMARY KEY
);
