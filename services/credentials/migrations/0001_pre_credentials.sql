-- The credentials service's read models and work tables. All of it follows from the log and can be derived anew,
-- but for `deployment`, which says where this database stands. No names, no documents: those are read from the
-- log, where their key can be destroyed.

-- One row, written with the first batch.
CREATE TABLE credentials.deployment (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    origin   text,                         -- in all public ids, for ever; null until the first intent
    horizon  bigint  NOT NULL              -- attainments up to here had their chance before these tables were made
);

-- Each intent that the log holds. A cause may have several (reissues) and has one credential.
CREATE TABLE credentials.intents (
    position      bigint PRIMARY KEY,      -- of IssuanceIntended
    credential_id uuid   NOT NULL,
    cause         bigint NOT NULL,         -- position of the attainment
    principal_id  text   NOT NULL,
    key           text   NOT NULL,
    issued        bigint,                  -- position of CredentialIssued
    unsignable    text                     -- why it will never be signed: its person has been erased
);
CREATE INDEX intents_by_cause ON credentials.intents (cause);
CREATE INDEX intents_by_credential ON credentials.intents (credential_id, position);
CREATE INDEX intents_unsigned ON credentials.intents (position) WHERE issued IS NULL AND unsignable IS NULL;

CREATE TABLE credentials.credentials (
    credential_id uuid    PRIMARY KEY,
    cause         bigint  NOT NULL UNIQUE,
    principal_id  text    NOT NULL,
    framework     text    NOT NULL,
    competency    text    NOT NULL,        -- a number, or overall
    level         text    NOT NULL,
    reached_at    timestamptz NOT NULL,    -- when the attainment was recorded
    intent        bigint,                  -- the latest; null until the log holds it
    issued        bigint,                  -- CredentialIssued of the latest intent
    revoked       text,                    -- the reason
    suspended     boolean NOT NULL DEFAULT false
);
CREATE INDEX credentials_by_level ON credentials.credentials (principal_id, competency, level, cause);
CREATE INDEX credentials_by_principal ON credentials.credentials (principal_id, cause);

-- Status lists come in pairs: r<number> for revocation and s<number> for suspension, with the same places.
CREATE TABLE credentials.status_lists (
    number  integer PRIMARY KEY,
    entries integer NOT NULL CHECK (entries >= 131072),
    used    integer NOT NULL DEFAULT 0,
    changed bigint  NOT NULL DEFAULT 0     -- counts changes of any bit
);

-- Places given away, at random.
CREATE TABLE credentials.status_entries (
    list          integer NOT NULL,
    index         integer NOT NULL,
    credential_id uuid    NOT NULL,
    intent        bigint,                  -- null: given away, and not (yet) in the log
    revoked       boolean NOT NULL DEFAULT false,
    suspended     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (list, index)
);
CREATE INDEX status_entries_by_credential ON credentials.status_entries (credential_id);
CREATE INDEX status_entries_set ON credentials.status_entries (list) WHERE revoked OR suspended;

-- The lists as they were last signed.
CREATE TABLE credentials.signed_lists (
    name        text        PRIMARY KEY,   -- r1, s1
    changed     bigint      NOT NULL,      -- status_lists.changed at that time
    valid_until timestamptz NOT NULL,
    body        bytea       NOT NULL
);

CREATE TABLE credentials.shares (
    share_id      text    PRIMARY KEY,
    credential_id uuid    NOT NULL,
    granted       bigint  NOT NULL,        -- position of ShareGranted
    until         date,                    -- the last day; null: until its holder ends it
    show_name     boolean NOT NULL,
    ended         bigint
);
CREATE INDEX shares_by_credential ON credentials.shares (credential_id);

CREATE TABLE credentials.erased (
    person_id text   PRIMARY KEY,
    position  bigint NOT NULL
);
