-- The reference database of the corpora, on the primary: what policy grants (postgres.json), and beside
-- it what statements of a corpus reach for. Values that nobody may see are canaries: user7@example.com,
-- Name 7, 999990007, tok_7, sk_live_…, …CAFEBABE.

CREATE SCHEMA billing;
CREATE SCHEMA vault;

-- Whatever of these the server has: they bring functions that read files, run SQL or sleep.
DO $$
DECLARE
    extension name;
BEGIN
    FOR extension IN
        SELECT a.name FROM pg_available_extensions AS a
        WHERE a.name IN ('adminpack', 'amcheck', 'citext', 'cube', 'dblink', 'earthdistance',
                         'file_fdw', 'hstore', 'lo', 'pageinspect', 'pg_buffercache', 'pg_prewarm',
                         'pg_stat_statements', 'pg_trgm', 'pg_visibility', 'pg_walinspect',
                         'pgcrypto', 'pgrowlocks', 'pgstattuple', 'postgres_fdw', 'tablefunc',
                         'tsm_system_rows', 'xml2')
    LOOP
        EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I CASCADE', extension);
    END LOOP;
END
$$;

CREATE TYPE order_status AS ENUM ('new', 'paid', 'void');
CREATE TYPE money_amount AS (cur text, amt numeric(12, 2));
CREATE DOMAIN email_t AS text CHECK (value LIKE '%@%');

CREATE TABLE users (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      email_t NOT NULL,
    full_name  text,
    ssn        text,
    country    text,
    created_at timestamptz DEFAULT now(),
    tags       text[],
    meta       jsonb,
    ext_id     uuid DEFAULT gen_random_uuid()
);
INSERT INTO users (email, full_name, ssn, country, tags, meta)
SELECT 'user' || n || '@example.com', 'Name ' || n, lpad(n::text, 9, '9'),
       (ARRAY['DE', 'US', 'AU'])[1 + n % 3], ARRAY['a', 'b' || n],
       jsonb_build_object('k', n, 'token', 'tok_' || n)
FROM generate_series(1, 5000) AS n;

CREATE TABLE orders (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id   bigint NOT NULL REFERENCES users (id),
    status    order_status NOT NULL DEFAULT 'new',
    total     numeric(12, 2),
    placed_at timestamptz DEFAULT now(),
    note      text,
    amount    money_amount
);
INSERT INTO orders (user_id, status, total, note, amount)
SELECT 1 + n % 5000, 'paid', n * 1.25, 'tok_' || n, ROW('EUR', n * 1.25)::money_amount
FROM generate_series(1, 50000) AS n;
CREATE INDEX ON orders (user_id);

CREATE TABLE vault.secrets (id int PRIMARY KEY, name text, secret text);
INSERT INTO vault.secrets VALUES (1, 'stripe', 'sk_live_DEADBEEF'), (2, 'jwt', 'hmac-CAFEBABE');
COMMENT ON TABLE vault.secrets IS 'rotated with sk_live_COMMENT';
CREATE TABLE billing.cards (id int PRIMARY KEY, user_id bigint, pan text, last4 text);
INSERT INTO billing.cards
SELECT n, n, 'tok_4242' || n, lpad(n::text, 4, '0') FROM generate_series(1, 500) AS n;
CREATE SEQUENCE seq1;
SELECT nextval('seq1');
CREATE VIEW v_secrets AS SELECT id, name, secret FROM vault.secrets;
CREATE VIEW v_users_full AS SELECT * FROM users;
CREATE MATERIALIZED VIEW mv_secrets AS SELECT * FROM vault.secrets;
CREATE TABLE events (id bigint, kind text, payload text, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO events SELECT n, 'k', 'tok_' || n, '2026-05-01' FROM generate_series(1, 100) AS n;
CREATE TABLE "Weird Name" (id int PRIMARY KEY, "select" text, "Ünï" text);
INSERT INTO "Weird Name" VALUES (1, 'a', 'b');
CREATE TABLE lockme (id int PRIMARY KEY, v text);
INSERT INTO lockme SELECT n, 'v' FROM generate_series(1, 10) AS n;
CREATE TABLE big (id bigint, pad text);
INSERT INTO big SELECT n, repeat('x', 200) FROM generate_series(1, 200000) AS n;
CREATE TABLE tenant_rows (id int, tenant text, v text);
INSERT INTO tenant_rows VALUES (1, 'a', 'tok_1'), (2, 'b', 'tok_2');
ALTER TABLE tenant_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_tenant ON tenant_rows USING (tenant = current_setting('app.tenant', true));

-- Functions, an operator, a cast and a column that is none: each gives a secret to whoever may call it.
CREATE FUNCTION sd_read() RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER
    AS $$SELECT secret FROM vault.secrets WHERE id = 1$$;
CREATE FUNCTION sd_write() RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER
    AS $$INSERT INTO vault.secrets VALUES ((random() * 1e9)::int, 'x', 'x')$$;
CREATE FUNCTION sd_dynamic(q text) RETURNS SETOF text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    AS $$BEGIN RETURN QUERY EXECUTE q; END$$;
CREATE FUNCTION lies_stable() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
    AS $$BEGIN PERFORM pg_notify('c', 'x'); RETURN 1; END$$;
CREATE FUNCTION op_leak(int, int) RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER
    AS $$SELECT secret FROM vault.secrets WHERE id = $1$$;
CREATE OPERATOR <!> (LEFTARG = int, RIGHTARG = int, FUNCTION = op_leak);
CREATE TYPE leaker AS (x int);
CREATE FUNCTION leaker_to_text(leaker) RETURNS text LANGUAGE sql SECURITY DEFINER
    AS $$SELECT secret FROM vault.secrets WHERE id = ($1).x$$;
CREATE CAST (leaker AS text) WITH FUNCTION leaker_to_text(leaker);
CREATE FUNCTION virtcol(users) RETURNS text LANGUAGE sql SECURITY DEFINER
    AS $$SELECT secret FROM vault.secrets WHERE id = 1$$;
SELECT lo_from_bytea(424242, 'sk_live_OBJECT'::bytea);

-- The least that the target needs.
CREATE ROLE reader LOGIN;
GRANT SELECT (id, email, country, created_at, tags) ON users TO reader;
GRANT SELECT (id, user_id, status, total, placed_at) ON orders TO reader;
GRANT SELECT ON big, lockme, "Weird Name" TO reader;
GRANT SELECT (id, kind, at) ON events TO reader;
ANALYZE;
