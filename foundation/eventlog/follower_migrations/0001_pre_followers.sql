-- In each service's own schema: how far its followers have come, and what they could not work off.

CREATE TABLE followers (
    name         text   PRIMARY KEY,
    position     bigint NOT NULL DEFAULT 0,  -- moved by compare-and-set, with what was written for it
    heartbeat_at timestamptz,
    failing      text,                       -- why it does not get on at present: the kind of fault and its place
    failing_since timestamptz
);

-- One event that could not be worked off holds up its principal, never the follower.
CREATE TABLE parked (
    follower  text        NOT NULL,
    principal text        NOT NULL,
    position  bigint      NOT NULL,          -- the first event of the principal that was not worked off
    reason    text        NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower, principal)
);
