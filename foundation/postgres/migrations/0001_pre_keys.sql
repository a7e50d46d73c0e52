-- The key database: data keys, wrapped by the master key (AES-KW, RFC 3394), which is never here.
-- A destroyed key leaves its row behind, so that none is made for the same owner again.

CREATE TABLE keys.data_keys (
    kind         text        NOT NULL,  -- `subject`, `artifact`
    id           text        NOT NULL,
    wrapped      bytea,
    made_at      timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    PRIMARY KEY (kind, id),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE FUNCTION keys.keep_destroyed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.destroyed_at IS NOT NULL OR new.kind <> old.kind OR new.id <> old.id THEN
        RAISE EXCEPTION 'a destroyed key stays destroyed, and no key changes its owner' USING ERRCODE = 'ML011';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER keep_destroyed BEFORE UPDATE ON keys.data_keys
    FOR EACH ROW EXECUTE FUNCTION keys.keep_destroyed();
