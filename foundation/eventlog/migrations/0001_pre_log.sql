-- The log: one table, one total order. Only the append functions write it; everybody else may at most read.
-- Positions are the last one plus one, taken under an advisory lock that is held until the commit: they have no
-- gaps and follow commit order, so no reader is ever skipped.

CREATE TABLE log.events (
    position       bigint      PRIMARY KEY,
    event_id       uuid        NOT NULL,
    type           text        NOT NULL,
    type_version   integer     NOT NULL,
    tags           text[]      NOT NULL,
    recorded_at    timestamptz NOT NULL,
    recorded_by    text        NOT NULL,
    command_id     uuid,                 -- on the first event of a command
    command        text,                 -- its line: method and path with its query
    command_events integer,              -- how many events it made: they follow one another
    subject        text,                 -- whose key encrypts `sealed`
    data           bytea       NOT NULL, -- members in clear, JSON
    sealed         bytea,                -- personal members (foundation/eventlog/sealing.py)
    salt           bytea       NOT NULL CHECK (octet_length(salt) = 16)  -- the ledger commits to a row with it
);
-- Unique indexes are looked at in the order in which they are made: a repeated command is told before its event.
CREATE UNIQUE INDEX events_command_id ON log.events (command_id) WHERE command_id IS NOT NULL;
CREATE UNIQUE INDEX events_event_id ON log.events (event_id);
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

-- 16 bytes, 122 of their bits random, from the server's strong source: a UUID costs half of what hashing two costs.
CREATE FUNCTION log.new_salt() RETURNS bytea LANGUAGE sql VOLATILE
    AS $$ SELECT uuid_send(gen_random_uuid()) $$;

-- Queries come as two arrays with one element for each item: its types and its tags, each joined by the unit
-- separator (U+001F), which neither may hold. An element '' means any; no items mean every event.
-- The planner's settings on the functions below: a session keeps its plans, and one made while the log was small
-- must still be right when it has grown.

-- The tag of an item that the fewest events of its types have in the range, without counting far beyond them.
CREATE FUNCTION log.rarest(p_types text[], p_tags text[], p_after bigint, p_until bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_first text   := p_tags[1];
    v_cap   bigint := 16;
    v_least bigint;
    v_found bigint;
    v_tag   text;
BEGIN
    LOOP
        v_least := v_cap;
        FOREACH v_tag IN ARRAY p_tags LOOP
            SELECT count(*) INTO v_found FROM (
                SELECT FROM unnest(p_types) AS t(type) CROSS JOIN LATERAL (
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
    RETURN v_first;
END $$;

-- Positions > p_after and <= p_until of the events that a query names, at most p_limit of each item, in no
-- particular order and perhaps more than once. An item with several tags is worked off from its rarest.
CREATE FUNCTION log.matching(p_types text[], p_tags text[], p_after bigint, p_until bigint, p_limit bigint)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_types text[];
    v_tags  text[];
    v_first text;
BEGIN
    IF cardinality(p_types) = 0 THEN
        RETURN QUERY SELECT e.position FROM log.events e
            WHERE e.position > p_after AND e.position <= p_until ORDER BY e.position LIMIT p_limit;
        RETURN;
    END IF;
    FOR v_item IN 1..cardinality(p_types) LOOP
        v_types := string_to_array(p_types[v_item], E'\x1f');
        v_tags := string_to_array(p_tags[v_item], E'\x1f');
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
        v_first := CASE WHEN cardinality(v_tags) = 1 THEN v_tags[1]
            ELSE log.rarest(v_types, v_tags, p_after, p_until) END;
        RETURN QUERY SELECT f.position FROM unnest(v_types) AS t(type) CROSS JOIN LATERAL (
            SELECT g.position FROM log.tags g
            WHERE g.tag = v_first AND g.type = t.type AND g.position > p_after AND g.position <= p_until
              AND (cardinality(v_tags) = 1
                OR EXISTS (SELECT FROM log.events e WHERE e.position = g.position AND e.tags @> v_tags))
            ORDER BY g.position LIMIT p_limit) f;
    END LOOP;
END $$;

-- The first p_limit events that a query names with p_after < position <= p_until, in order, each with the log's
-- last position as the same snapshot sees it. Where there are none: one row with that position only (in an
-- empty log no row at all).
CREATE FUNCTION log.read(p_types text[], p_tags text[], p_after bigint, p_until bigint, p_limit bigint)
RETURNS TABLE (
    head bigint, "position" bigint, event_id uuid, type text, type_version integer, tags text[],
    recorded_at timestamptz, recorded_by text, command_id uuid, subject text, data bytea, sealed bytea)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT h.position, e.position, e.event_id, e.type, e.type_version, e.tags, e.recorded_at, e.recorded_by,
        e.command_id, e.subject, e.data, e.sealed
    FROM (SELECT l.position FROM log.events l ORDER BY l.position DESC LIMIT 1) h
    LEFT JOIN (
        SELECT DISTINCT p AS position FROM log.matching(p_types, p_tags, p_after, p_until, p_limit) p
        ORDER BY p LIMIT p_limit) m ON true
    LEFT JOIN log.events e ON e.position = m.position;
END $$;

-- The same, without limits, for queries whose every item has types and tags: what decisions read, in one statement.
CREATE FUNCTION log.read_narrow(p_types text[], p_tags text[])
RETURNS TABLE (
    head bigint, "position" bigint, event_id uuid, type text, type_version integer, tags text[],
    recorded_at timestamptz, recorded_by text, command_id uuid, subject text, data bytea, sealed bytea)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT h.position, e.position, e.event_id, e.type, e.type_version, e.tags, e.recorded_at, e.recorded_by,
        e.command_id, e.subject, e.data, e.sealed
    FROM (SELECT l.position FROM log.events l ORDER BY l.position DESC LIMIT 1) h
    LEFT JOIN (
        SELECT DISTINCT g.position
        FROM unnest(p_types, p_tags) AS joined(types, tags)
        CROSS JOIN LATERAL (
            SELECT string_to_array(joined.types, E'\x1f') AS types, string_to_array(joined.tags, E'\x1f') AS tags
            OFFSET 0) i
        CROSS JOIN LATERAL (
            -- The first tag, where few events have it: callers name the narrow one first.
            SELECT CASE WHEN cardinality(i.tags) = 1 OR (SELECT count(*) FROM (
                SELECT FROM unnest(i.types) AS t(type) JOIN log.tags g ON g.tag = i.tags[1] AND g.type = t.type
                    LIMIT 64) few) < 64
                THEN i.tags[1] ELSE log.rarest(i.types, i.tags, 0, 9223372036854775807) END AS tag
            OFFSET 0) by
        CROSS JOIN unnest(i.types) AS t(type)
        JOIN log.tags g ON g.tag = by.tag AND g.type = t.type
        WHERE cardinality(i.tags) = 1
            OR EXISTS (SELECT FROM log.events o WHERE o.position = g.position AND o.tags @> i.tags)
        ORDER BY g.position) m ON true
    LEFT JOIN log.events e ON e.position = m.position;
END $$;

-- Whether an event that a query names stands behind p_after. A decision's condition starts at the log's end as it
-- was read, so that as a rule there are few events behind it, and looking through them is cheapest.
CREATE FUNCTION log.appeared(p_types text[], p_tags text[], p_after bigint, p_last bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_any text[];
BEGIN
    IF p_last - p_after > 100 THEN
        RETURN EXISTS (SELECT FROM log.matching(p_types, p_tags, p_after, p_last, 1));
    END IF;
    IF cardinality(p_types) = 0 THEN
        RETURN p_last > p_after;
    END IF;
    v_any := CASE WHEN '' <> ALL (p_tags) THEN string_to_array(array_to_string(p_tags, E'\x1f'), E'\x1f') END;
    RETURN EXISTS (
        SELECT FROM log.events e WHERE e.position > p_after AND (v_any IS NULL OR e.tags && v_any) AND EXISTS (
            SELECT FROM unnest(p_types, p_tags) AS i(types, tags)
            WHERE (i.types = '' OR e.type = ANY (string_to_array(i.types, E'\x1f')))
              AND (i.tags = '' OR e.tags @> string_to_array(i.tags, E'\x1f'))));
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
    SELECT n.demonstration, (SELECT t FROM unnest(p_types) t WHERE NOT EXISTS (
            SELECT FROM log.event_types et WHERE et.type = t AND et.owner = session_user) LIMIT 1)
        INTO STRICT v_demonstration, v_type FROM log.nature n;
    IF v_type IS NOT NULL THEN
        RAISE EXCEPTION 'login % may not append %', session_user, v_type USING ERRCODE = 'ML005';
    END IF;
    IF p_recorded_at IS NOT NULL AND NOT v_demonstration THEN
        RAISE EXCEPTION 'a time was given, and this is no demonstration database' USING ERRCODE = 'ML006';
    END IF;
    IF p_clock IS NULL OR p_clock NOT BETWEEN v_here - interval '60 s' AND v_here + interval '60 s' THEN
        RAISE EXCEPTION 'the clock of this machine says %, that of the database %', p_clock, v_here
            USING ERRCODE = 'ML004';
    END IF;

    -- Evaluated as an expression, which costs less than a statement; the next statement has a new snapshot.
    IF pg_advisory_xact_lock(7811887, 1) IS NULL THEN END IF;

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
-- (U+001F), which no tag may hold. p_if_types NULL: no condition. With p_skip, events that are there already are
-- left out (derived events have ids of their cause); `appended` holds the others, NULL meaning all.
CREATE FUNCTION log.append(
    p_event_ids uuid[], p_types text[], p_versions integer[], p_tags text[], p_recorded_by text[], p_subjects text[],
    p_data bytea[], p_sealed bytea[], p_command_id uuid, p_command text, p_if_types text[], p_if_tags text[],
    p_after bigint, p_clock timestamptz, p_recorded_at timestamptz, p_skip boolean,
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
    IF p_if_types IS NOT NULL AND p_after < v_last AND log.appeared(p_if_types, p_if_tags, p_after, v_last) THEN
        RAISE EXCEPTION 'an event that the condition names has appeared' USING ERRCODE = 'ML001';
    END IF;
    first_position := v_last + 1;
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
    appended := CASE WHEN v_skip IS NOT NULL THEN coalesce(appended, '{}') END;
    PERFORM pg_notify('mlds_log', '');
END $$;

-- Appends one event: what people do, one by one. Two statements where all is well, since a session's every
-- transaction has to make plpgsql's expressions ready anew; what was wrong is found out afterwards. A repeated
-- command or event breaks its unique index; it is told before a condition that its own first recording would break.
-- The salt is the caller's: random bytes cost this server more than the rest of a row (it opens /dev/urandom).
-- p_flush_later: the commit does not wait for the disk (`log.record_one`).
CREATE FUNCTION log.append_one(
    p_event_id uuid, p_type text, p_version integer, p_tags text[], p_recorded_by text, p_subject text, p_data bytea,
    p_sealed bytea, p_command_id uuid, p_command text, p_if_types text[], p_if_tags text[], p_after bigint,
    p_clock timestamptz, p_recorded_at timestamptz, p_salt bytea, p_flush_later boolean,
    OUT first_position bigint, OUT recorded_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    v_admitted boolean;
BEGIN
    -- As `log.admit`, which says what was wrong. The lock comes last; the next statement has a new snapshot.
    SELECT CASE
            WHEN current_setting('transaction_isolation') = 'read committed'
                AND EXISTS (SELECT FROM log.event_types et WHERE et.type = p_type AND et.owner = session_user)
                AND (p_recorded_at IS NULL OR n.demonstration)
                AND p_clock BETWEEN clock_timestamp() - interval '60 s' AND clock_timestamp() + interval '60 s'
            THEN CASE WHEN p_flush_later THEN set_config('synchronous_commit', 'off', true) = 'off' ELSE true END
                AND pg_advisory_xact_lock(7811887, 1) IS NOT NULL
            END
        INTO v_admitted FROM log.nature n;
    WITH last AS (
        SELECT e.position, e.recorded_at FROM log.events e ORDER BY e.position DESC LIMIT 1
    ), next AS (
        SELECT coalesce(l.position, 0) + 1 AS position,
            greatest(coalesce(p_recorded_at, clock_timestamp()), l.recorded_at) AS recorded_at
        FROM (VALUES (1)) AS one LEFT JOIN last l ON true
        WHERE v_admitted
          AND CASE WHEN p_recorded_at IS NULL THEN l.recorded_at IS NULL OR l.recorded_at < clock_timestamp() + interval '60 s'
                ELSE p_recorded_at < clock_timestamp() + interval '60 s' END
          AND CASE WHEN p_if_types IS NULL OR l.position IS NULL OR p_after >= l.position THEN true
                ELSE NOT log.appeared(p_if_types, p_if_tags, p_after, l.position) END
    ), done AS (
        INSERT INTO log.events SELECT
            n.position, p_event_id, p_type, p_version, p_tags, n.recorded_at, p_recorded_by, p_command_id, p_command,
            CASE WHEN p_command_id IS NOT NULL THEN 1 END, p_subject, p_data, p_sealed, p_salt
        FROM next n
    ), tagged AS (
        INSERT INTO log.tags SELECT DISTINCT t, p_type, n.position FROM next n CROSS JOIN unnest(p_tags) t
    )
    SELECT n.position, n.recorded_at INTO first_position, recorded_at
        FROM next n WHERE pg_notify('mlds_log', '') IS NOT NULL;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM log.admit(ARRAY[p_type], p_command_id, p_clock, p_recorded_at);
    IF EXISTS (SELECT FROM log.events e WHERE e.event_id = p_event_id) THEN
        RAISE EXCEPTION 'event % has been recorded before', p_event_id USING ERRCODE = 'ML003';
    END IF;
    RAISE EXCEPTION 'an event that the condition names has appeared' USING ERRCODE = 'ML001';
END $$;

-- Appends and answers when it is durable. The append commits without waiting for the disk, which gives the log's
-- lock to the next writer at once; then a second transaction, which writes a message that says nothing, waits as
-- `synchronous_commit` demands, also for a standby. The write-ahead log is flushed in order: with the second
-- transaction the first is durable, and writers who wait at the same time share one flush.
-- docs/decisions/0003-group-commit.md. Not to be called inside a transaction.
CREATE PROCEDURE log.record_one(
    p_event_id uuid, p_type text, p_version integer, p_tags text[], p_recorded_by text, p_subject text, p_data bytea,
    p_sealed bytea, p_command_id uuid, p_command text, p_if_types text[], p_if_tags text[], p_after bigint,
    p_clock timestamptz, p_recorded_at timestamptz, p_salt bytea, OUT first_position bigint,
    OUT recorded_at timestamptz)
LANGUAGE plpgsql
AS $$
BEGIN
    SELECT a.first_position, a.recorded_at INTO first_position, recorded_at FROM log.append_one(
        p_event_id, p_type, p_version, p_tags, p_recorded_by, p_subject, p_data, p_sealed, p_command_id, p_command,
        p_if_types, p_if_tags, p_after, p_clock, p_recorded_at, p_salt, true) a;
    COMMIT;
    IF pg_catalog.pg_logical_emit_message(true, 'mlds', '') IS NULL THEN END IF;
END $$;

-- The same for several.
CREATE PROCEDURE log.record(
    p_event_ids uuid[], p_types text[], p_versions integer[], p_tags text[], p_recorded_by text[], p_subjects text[],
    p_data bytea[], p_sealed bytea[], p_command_id uuid, p_command text, p_if_types text[], p_if_tags text[],
    p_after bigint, p_clock timestamptz, p_recorded_at timestamptz, OUT first_position bigint,
    OUT recorded_at timestamptz)
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_catalog.set_config('synchronous_commit', 'off', true) IS NULL THEN END IF;
    SELECT a.first_position, a.recorded_at INTO first_position, recorded_at FROM log.append(
        p_event_ids, p_types, p_versions, p_tags, p_recorded_by, p_subjects, p_data, p_sealed, p_command_id, p_command,
        p_if_types, p_if_tags, p_after, p_clock, p_recorded_at, false) a;
    COMMIT;
    IF pg_catalog.pg_logical_emit_message(true, 'mlds', '') IS NULL THEN END IF;
END $$;

-- Waits until everything that this session has seen is durable: before an answer that rests on it is given.
CREATE PROCEDURE log.settle()
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_catalog.pg_logical_emit_message(true, 'mlds', '') IS NULL THEN END IF;
END $$;

-- As `log.append`, for rows that COPY put into log.staging under p_batch, in the same transaction. More than 50,000 need
-- p_exclusive. first_position is NULL when there were none.
CREATE FUNCTION log.append_staged(
    p_batch uuid, p_command_id uuid, p_command text, p_if_types text[], p_if_tags text[], p_after bigint,
    p_clock timestamptz, p_recorded_at timestamptz, p_exclusive boolean, OUT first_position bigint, OUT last_position bigint)
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
    IF p_if_types IS NOT NULL AND p_after < v_last AND log.appeared(p_if_types, p_if_tags, p_after, v_last) THEN
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

REVOKE ALL ON ALL ROUTINES IN SCHEMA log FROM PUBLIC;
