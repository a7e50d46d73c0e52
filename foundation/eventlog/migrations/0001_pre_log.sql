-- The log: one table, one total order. Only the append functions write it; everybody else may at most read.
-- Positions are the last one plus one, taken under an advisory lock that is held until the commit: they have no
-- gaps and follow commit order, so no reader is ever skipped.

CREATE TABLE log.events (
    position       bigint      PRIMARY KEY,
    event_id       uuid        NOT NULL UNIQUE,
    type           text        NOT NULL,
    type_version   integer     NOT NULL,
    tags           text[]      NOT NULL,
    recorded_at    timestamptz NOT NULL,
    recorded_by    text        NOT NULL,
    command_id     uuid        UNIQUE,   -- on the first event of a command
    command        text,                 -- its line: method and path with its query
    command_events integer,              -- how many events it made: they follow one another
    subject        text,                 -- whose key encrypts `sealed`
    data           bytea       NOT NULL, -- members in clear, JSON
    sealed         bytea,                -- personal members (foundation/eventlog/sealing.py)
    salt           bytea       NOT NULL  -- the ledger commits to a row together with it
);
CREATE INDEX events_by_type ON log.events (type, position);

-- A row for each tag of each event. A query goes through (tag, type) in the order of positions, so a frequent
-- tag together with a rare type costs no more than what it finds.
CREATE TABLE log.tags (
    tag      text   NOT NULL,
    type     text   NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (tag, type, position)
);

-- Which login may append which type. Filled by `migrate`; a type is never taken out.
CREATE TABLE log.event_types (
    type  text PRIMARY KEY,
    owner name NOT NULL
);

-- One row, written when the database is made, that nobody changes: whether times come from the caller.
CREATE TABLE log.nature (
    only_row      boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    demonstration boolean     NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what kind of database this is was settled when it was made' USING ERRCODE = 'ML010';
END $$;
CREATE TRIGGER settled BEFORE UPDATE OR DELETE OR TRUNCATE ON log.nature
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Rows on their way in from a bulk append (COPY). Not logged: they matter within one transaction only.
CREATE UNLOGGED TABLE log.staging (
    batch        uuid    NOT NULL,
    ordinal      integer NOT NULL,
    event_id     uuid    NOT NULL,
    type         text    NOT NULL,
    type_version integer NOT NULL,
    tags         text[]  NOT NULL,
    recorded_by  text    NOT NULL,
    subject      text,
    data         bytea   NOT NULL,
    sealed       bytea,
    PRIMARY KEY (batch, ordinal)
);

-- 16 random bytes: each UUID has 122 random bits, and the hash spreads those of two.
CREATE FUNCTION log.new_salt() RETURNS bytea LANGUAGE sql VOLATILE
    AS $$ SELECT substring(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) FOR 16) $$;

-- The planner's settings on the functions below: a session keeps its plans, and one made while the log was small
-- must still be right when it has grown.

-- Positions > p_after and <= p_until of the events that a query names, at most p_limit, in no particular order.
-- p_query: [{"types": [...], "tags": [...]}, ...]; an item without types means any type, without tags any tags;
-- no items mean every event. An item with several tags is worked off from its rarest.
CREATE FUNCTION log.matching(p_query jsonb, p_after bigint, p_until bigint, p_limit bigint)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_item   jsonb;
    v_types  text[];
    v_tags   text[];
    v_first  text;
    v_found  bigint;
    v_least  bigint;
    v_cap    bigint;
    v_tag    text;
BEGIN
    IF jsonb_array_length(p_query) = 0 THEN
        RETURN QUERY SELECT e.position FROM log.events e
            WHERE e.position > p_after AND e.position <= p_until ORDER BY e.position LIMIT p_limit;
        RETURN;
    END IF;
    FOR v_item IN SELECT jsonb_array_elements(p_query) LOOP
        SELECT coalesce(array_agg(DISTINCT t), '{}') INTO v_types FROM jsonb_array_elements_text(v_item->'types') t;
        SELECT coalesce(array_agg(DISTINCT t), '{}') INTO v_tags FROM jsonb_array_elements_text(v_item->'tags') t;
        IF cardinality(v_types) = 0 THEN
            IF cardinality(v_tags) = 0 THEN
                RETURN QUERY SELECT e.position FROM log.events e
                    WHERE e.position > p_after AND e.position <= p_until ORDER BY e.position LIMIT p_limit;
                CONTINUE;
            END IF;
            SELECT array_agg(et.type) INTO v_types FROM log.event_types et;
        END IF;
        IF cardinality(v_tags) = 0 THEN
            RETURN QUERY SELECT f.position FROM unnest(v_types) AS t(type) CROSS JOIN LATERAL (
                SELECT e.position FROM log.events e
                WHERE e.type = t.type AND e.position > p_after AND e.position <= p_until
                ORDER BY e.position LIMIT p_limit) f;
            CONTINUE;
        END IF;
        v_first := v_tags[1];
        v_cap := 16;
        WHILE cardinality(v_tags) > 1 LOOP
            v_least := v_cap;
            FOREACH v_tag IN ARRAY v_tags LOOP
                SELECT count(*) INTO v_found FROM (
                    SELECT FROM unnest(v_types) AS t(type) CROSS JOIN LATERAL (
                        SELECT FROM log.tags g
                        WHERE g.tag = v_tag AND g.type = t.type AND g.position > p_after AND g.position <= p_until
                        LIMIT v_least) f
                    LIMIT v_least) c;
                IF v_found < v_least THEN
                    v_least := v_found;
                    v_first := v_tag;
                END IF;
            END LOOP;
            EXIT WHEN v_least < v_cap;
            v_cap := v_cap * 16;
        END LOOP;
        IF cardinality(v_tags) = 1 THEN
            RETURN QUERY SELECT f.position FROM unnest(v_types) AS t(type) CROSS JOIN LATERAL (
                SELECT g.position FROM log.tags g
                WHERE g.tag = v_first AND g.type = t.type AND g.position > p_after AND g.position <= p_until
                ORDER BY g.position LIMIT p_limit) f;
        ELSE
            RETURN QUERY SELECT f.position FROM unnest(v_types) AS t(type) CROSS JOIN LATERAL (
                SELECT g.position FROM log.tags g
                WHERE g.tag = v_first AND g.type = t.type AND g.position > p_after AND g.position <= p_until
                  AND NOT EXISTS (
                    SELECT FROM unnest(v_tags) AS o(tag)
                    WHERE NOT EXISTS (SELECT FROM log.tags h
                        WHERE h.tag = o.tag AND h.type = g.type AND h.position = g.position))
                ORDER BY g.position LIMIT p_limit) f;
        END IF;
    END LOOP;
END $$;

-- Takes the log's lock until the commit, checks what has to hold, and gives the last position and the time of
-- the events to come. Error codes ML001 to ML009 are read by foundation/eventlog/postgres_recorder.py.
CREATE FUNCTION log.admit(
    p_types text[], p_command_id uuid, p_clock timestamptz, p_recorded_at timestamptz,
    OUT o_last bigint, OUT o_at timestamptz)
LANGUAGE plpgsql
AS $$
DECLARE
    v_here          timestamptz := clock_timestamp();  -- before waiting, as the caller's clock was
    v_last_at       timestamptz;
    v_demonstration boolean;
    v_type          text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an append needs READ COMMITTED: a snapshot from before the lock could not see the last event'
            USING ERRCODE = 'ML009';
    END IF;
    SELECT t INTO v_type FROM unnest(p_types) t
        WHERE NOT EXISTS (SELECT FROM log.event_types et WHERE et.type = t AND et.owner = session_user) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'login % may not append %', session_user, v_type USING ERRCODE = 'ML005';
    END IF;
    SELECT n.demonstration INTO STRICT v_demonstration FROM log.nature n;
    IF p_recorded_at IS NOT NULL AND NOT v_demonstration THEN
        RAISE EXCEPTION 'a time was given, and this is no demonstration database' USING ERRCODE = 'ML006';
    END IF;
    IF p_clock IS NULL OR p_clock NOT BETWEEN v_here - interval '60 s' AND v_here + interval '60 s' THEN
        RAISE EXCEPTION 'the clock of this machine says %, that of the database %', p_clock, v_here
            USING ERRCODE = 'ML004';
    END IF;

    PERFORM pg_advisory_xact_lock(7811887, 1);

    SELECT e.position, e.recorded_at INTO o_last, v_last_at FROM log.events e ORDER BY e.position DESC LIMIT 1;
    o_last := coalesce(o_last, 0);
    o_at := clock_timestamp();
    IF p_recorded_at IS NOT NULL THEN
        IF p_recorded_at > o_at + interval '60 s' THEN
            RAISE EXCEPTION 'the time % given lies in the future', p_recorded_at USING ERRCODE = 'ML004';
        END IF;
        o_at := p_recorded_at;
    ELSIF o_at < v_last_at - interval '60 s' THEN
        RAISE EXCEPTION 'the clock of the database says %, more than 60 s before the last event (%)', o_at, v_last_at
            USING ERRCODE = 'ML004';
    END IF;
    o_at := greatest(o_at, v_last_at);

    IF p_command_id IS NOT NULL AND EXISTS (SELECT FROM log.events e WHERE e.command_id = p_command_id) THEN
        RAISE EXCEPTION 'command % has been recorded before', p_command_id USING ERRCODE = 'ML002';
    END IF;
END $$;

-- Appends all or none. The arrays have one element for each event; tags are joined by the unit separator
-- (U+001F), which no tag may hold. p_query NULL: no condition. With p_skip, events that are there already are
-- left out (derived events have ids of their cause); `appended` holds the others, NULL meaning all.
CREATE FUNCTION log.append(
    p_event_ids uuid[], p_types text[], p_versions integer[], p_tags text[], p_recorded_by text[], p_subjects text[],
    p_data bytea[], p_sealed bytea[], p_command_id uuid, p_command text, p_query jsonb, p_after bigint,
    p_clock timestamptz, p_recorded_at timestamptz, p_skip boolean,
    OUT first_position bigint, OUT recorded_at timestamptz, OUT appended uuid[])
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_last bigint;
    v_skip uuid[];
BEGIN
    SELECT a.o_last, a.o_at INTO v_last, recorded_at
        FROM log.admit(p_types, p_command_id, p_clock, p_recorded_at) a;
    SELECT array_agg(e.event_id) INTO v_skip FROM log.events e WHERE e.event_id = ANY (p_event_ids);
    IF v_skip IS NOT NULL AND NOT p_skip THEN
        RAISE EXCEPTION 'event % has been recorded before', v_skip[1] USING ERRCODE = 'ML003';
    END IF;
    IF p_query IS NOT NULL AND EXISTS (SELECT FROM log.matching(p_query, p_after, v_last, 1)) THEN
        RAISE EXCEPTION 'an event that the condition names has appeared' USING ERRCODE = 'ML001';
    END IF;
    first_position := v_last + 1;
    IF v_skip IS NULL AND cardinality(p_event_ids) = 1 THEN
        INSERT INTO log.events VALUES (
            first_position, p_event_ids[1], p_types[1], p_versions[1], string_to_array(p_tags[1], E'\x1f'), recorded_at,
            p_recorded_by[1], p_command_id, p_command, CASE WHEN p_command_id IS NOT NULL THEN 1 END, p_subjects[1],
            p_data[1], p_sealed[1],
            log.new_salt());
        INSERT INTO log.tags SELECT DISTINCT t, p_types[1], first_position FROM string_to_table(p_tags[1], E'\x1f') t;
    ELSE
        WITH fresh AS (
            SELECT u.*, row_number() OVER (ORDER BY u.ordinal) AS n, count(*) OVER () AS whole
            FROM unnest(p_event_ids, p_types, p_versions, p_tags, p_recorded_by, p_subjects, p_data, p_sealed)
                WITH ORDINALITY
                AS u(event_id, type, type_version, tags, recorded_by, subject, data, sealed, ordinal)
            WHERE v_skip IS NULL OR u.event_id <> ALL (v_skip)
        ), done AS (
            INSERT INTO log.events SELECT
                v_last + f.n, f.event_id, f.type, f.type_version, string_to_array(f.tags, E'\x1f'), recorded_at,
                f.recorded_by, CASE WHEN f.n = 1 THEN p_command_id END, CASE WHEN f.n = 1 THEN p_command END,
                CASE WHEN f.n = 1 AND p_command_id IS NOT NULL THEN f.whole END, f.subject, f.data, f.sealed,
                log.new_salt()
            FROM fresh f
        ), tagged AS (
            INSERT INTO log.tags SELECT DISTINCT t, f.type, v_last + f.n FROM fresh f, string_to_table(f.tags, E'\x1f') t
        )
        SELECT array_agg(f.event_id ORDER BY f.n) INTO appended FROM fresh f;
        IF v_skip IS NULL THEN
            appended := NULL;
        ELSIF appended IS NULL THEN
            appended := '{}';
        END IF;
    END IF;
    PERFORM pg_notify('mlds_log', '');
END $$;

-- The same for rows that COPY put into log.staging under p_batch, in the same transaction. More than 50,000 need
-- p_exclusive. first_position is NULL when there were none.
CREATE FUNCTION log.append_staged(
    p_batch uuid, p_command_id uuid, p_command text, p_query jsonb, p_after bigint, p_clock timestamptz,
    p_recorded_at timestamptz, p_exclusive boolean, OUT first_position bigint, OUT last_position bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_last  bigint;
    v_at    timestamptz;
    v_types text[];
    v_count bigint;
BEGIN
    SELECT count(*), array_agg(DISTINCT s.type) INTO v_count, v_types FROM log.staging s WHERE s.batch = p_batch;
    IF v_count = 0 THEN
        RETURN;
    END IF;
    IF v_count > 50000 AND NOT p_exclusive THEN
        RAISE EXCEPTION '% events in one transaction need the exclusive mode', v_count USING ERRCODE = 'ML007';
    END IF;
    SELECT a.o_last, a.o_at INTO v_last, v_at
        FROM log.admit(v_types, p_command_id, p_clock, p_recorded_at) a;
    IF EXISTS (SELECT FROM log.staging s JOIN log.events e USING (event_id) WHERE s.batch = p_batch) THEN
        RAISE EXCEPTION 'an event of this batch has been recorded before' USING ERRCODE = 'ML003';
    END IF;
    IF p_query IS NOT NULL AND EXISTS (SELECT FROM log.matching(p_query, p_after, v_last, 1)) THEN
        RAISE EXCEPTION 'an event that the condition names has appeared' USING ERRCODE = 'ML001';
    END IF;
    WITH fresh AS (
        SELECT s.*, row_number() OVER (ORDER BY s.ordinal) AS n FROM log.staging s WHERE s.batch = p_batch
    ), done AS (
        INSERT INTO log.events SELECT
            v_last + f.n, f.event_id, f.type, f.type_version, f.tags, v_at, f.recorded_by,
            CASE WHEN f.n = 1 THEN p_command_id END, CASE WHEN f.n = 1 THEN p_command END,
            CASE WHEN f.n = 1 AND p_command_id IS NOT NULL THEN v_count END, f.subject, f.data, f.sealed,
            log.new_salt()
        FROM fresh f ORDER BY f.n
    )
    INSERT INTO log.tags SELECT DISTINCT t, f.type, v_last + f.n FROM fresh f, unnest(f.tags) t;
    DELETE FROM log.staging s WHERE s.batch = p_batch;
    first_position := v_last + 1;
    last_position := v_last + v_count;
    PERFORM pg_notify('mlds_log', '');
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA log FROM PUBLIC;
