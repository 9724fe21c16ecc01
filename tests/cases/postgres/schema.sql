-- A shop as companies have it: joins, views, partitions, enums, arrays, json, exact money, and data
-- that no script may see. The word canary stands in everything hidden.

CREATE SCHEMA shop;
CREATE SCHEMA vault;

CREATE TYPE shop.order_status AS ENUM ('placed', 'paid', 'shipped', 'cancelled');
CREATE TYPE shop.address AS (street text, city text);
CREATE DOMAIN shop.country AS char(2) CHECK (VALUE ~ '^[A-Z]{2}$');

CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    country shop.country NOT NULL,
    created_at timestamptz NOT NULL,
    tags text[] NOT NULL,
    settings jsonb NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    ssn text NOT NULL
);
INSERT INTO shop.customers (country, created_at, tags, settings, name, email, ssn)
SELECT (ARRAY['DE', 'FR', 'US'])[1 + n % 3], '2025-01-01Z'::timestamptz + n * interval '7 hours',
    CASE WHEN n % 10 = 0 THEN ARRAY['vip', 'a "b", c'] ELSE '{}' END,
    jsonb_build_object('beta', n % 7 = 0, 'limit', n), 'canary name ' || n,
    'canary' || n || '@example.com', 'canary-' || n
FROM generate_series(1, 2000) n;

CREATE TABLE shop.orders (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    status shop.order_status NOT NULL,
    total numeric(12, 2) NOT NULL,
    placed_at timestamptz NOT NULL,
    paid_at timestamptz,
    note text
) PARTITION BY RANGE (placed_at);
CREATE TABLE shop.orders_2026_10 PARTITION OF shop.orders
    FOR VALUES FROM ('2026-10-01Z') TO ('2026-11-01Z');
CREATE TABLE shop.orders_2026_11 PARTITION OF shop.orders
    FOR VALUES FROM ('2026-11-01Z') TO ('2026-12-01Z');
CREATE TABLE shop.orders_rest PARTITION OF shop.orders DEFAULT;
INSERT INTO shop.orders
SELECT n, 1 + n % 2000, (enum_range(NULL::shop.order_status))[1 + n % 4], n * 1.25,
    '2026-09-15Z'::timestamptz + n * interval '18 minutes',
    CASE WHEN n % 4 <> 0 THEN '2026-09-15Z'::timestamptz + n * interval '19 minutes' END,
    'canary note ' || n
FROM generate_series(1, 6000) n;
CREATE INDEX orders_customer ON shop.orders (customer_id);

CREATE TABLE shop.items (
    order_id bigint NOT NULL, sku text NOT NULL, quantity int NOT NULL, price numeric NOT NULL,
    PRIMARY KEY (order_id, sku)
);
INSERT INTO shop.items
SELECT 1 + n / 2, 'sku-' || n % 50, 1 + n % 5, (n % 100) * 0.0125 FROM generate_series(0, 11999) n;

CREATE TABLE shop.payments (
    id uuid PRIMARY KEY, order_id bigint NOT NULL, state text NOT NULL, amount numeric(20, 4),
    meta json, card text NOT NULL
);
INSERT INTO shop.payments
SELECT md5(n::text)::uuid, n, CASE WHEN n % 9 = 0 THEN 'failed' ELSE 'settled' END, n * 1.25,
    '{"try": 1}', 'canary card'
FROM generate_series(1, 3000) n;

CREATE TABLE shop.documents (id int PRIMARY KEY, body text NOT NULL);
INSERT INTO shop.documents VALUES (1, 'short'), (2, repeat('x', 100 * 1024 * 1024));
INSERT INTO shop.documents SELECT n, repeat('y', 200000) FROM generate_series(3, 42) n;

-- A view reads with its owner's rights: it may use what its reader may not.
CREATE VIEW shop.stuck AS
    SELECT o.id, o.total, c.country FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id
    WHERE o.status = 'paid' AND c.ssn IS NOT NULL;
CREATE MATERIALIZED VIEW shop.daily AS
    SELECT placed_at::date AS day, count(*) AS orders, sum(total) AS total FROM shop.orders GROUP BY 1;

CREATE TABLE vault.api_keys (id int, secret text);
INSERT INTO vault.api_keys VALUES (1, 'canary key');
CREATE VIEW shop.v_keys AS SELECT * FROM vault.api_keys;
CREATE FUNCTION shop.leak(anyelement) RETURNS text LANGUAGE sql SECURITY DEFINER
    AS 'SELECT secret FROM vault.api_keys';
CREATE OPERATOR shop.<!> (FUNCTION = shop.leak, RIGHTARG = anyelement);

-- Read here, stored elsewhere.
CREATE FOREIGN DATA WRAPPER elsewhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere;
CREATE TABLE shop.spread (id int) PARTITION BY LIST (id);
CREATE FOREIGN TABLE shop.spread_1 PARTITION OF shop.spread FOR VALUES IN (1) SERVER elsewhere;

-- Written when a test wants something to replay.
CREATE TABLE shop.beat (at timestamptz);

CREATE TABLE shop.every_type (
    id int PRIMARY KEY,
    a_bool bool, an_int2 int2, an_int4 int4, an_int8 int8, an_oid oid,
    a_float4 float4, a_float8 float8, a_numeric numeric, a_money_like numeric(12, 2),
    a_text text, a_varchar varchar(20), a_char char(5), a_name name,
    a_bytea bytea, a_uuid uuid, a_date date, a_time time, a_timetz timetz,
    a_timestamp timestamp, a_timestamptz timestamptz, an_interval interval,
    a_json json, a_jsonb jsonb, an_enum shop.order_status, a_domain shop.country,
    an_inet inet, a_cidr cidr, a_macaddr macaddr, a_bit bit(3), a_varbit varbit, a_lsn pg_lsn,
    int_array int[], text_array text[], grid numeric[], shifted int[], enums shop.order_status[],
    moments timestamptz[], a_range int4range, a_multirange datemultirange, a_composite shop.address,
    a_vector tsvector, a_money money, a_point point, an_xml xml
);
INSERT INTO shop.every_type VALUES
(1, true, -32768, 2147483647, -9223372036854775808, 4294967295,
    0.1, 0.1, 12345678901234567890.123456789, -0.50,
    'grüße, 日本', 'v', 'ab', 'n',
    '\x00ff10', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2026-02-28', '23:59:59.5', '12:00:00+02',
    '2026-11-24 01:02:03.000001', '2026-11-24 01:02:03.5+02', '1 year 2 mons 3 days 04:05:06.7',
    '{"b": 1,  "a": 1.10}', '{"b": 1,  "a": 1.10}', 'paid', 'DE',
    '192.168.0.7', '10.0.0.0/8', '08:00:2b:01:02:03', '101', '1', '16/B374D848',
    '{1,NULL,3}', '{a,"b \"c\"",NULL,""}', '{{1.0,2.00},{3,4}}', '[0:1]={7,8}', '{paid,shipped}',
    '{2026-01-01 00:00:00Z,infinity}', '[1,5)', '{[2026-01-01,2026-02-01)}', '("High St 1",Bonn)',
    'a fat cat', '12.34', '(1,2.5)', '<a>1</a>'),
(2, false, 32767, -2147483648, 9223372036854775807, 0,
    'NaN', '-Infinity', 'NaN', 0, '', '', '', '',
    '', '00000000-0000-0000-0000-000000000000', 'infinity', '24:00:00', '00:00:00-15:59',
    '-infinity', 'infinity', '-1 day -00:00:01',
    'null', '"\u00e9"', 'cancelled', 'US',
    '::ffff:1.2.3.4/100', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', '000', '', '0/0',
    '{}', '{}', '{}', '{}', '{}', '{}', 'empty', '{}', '(,)', '', '-0.01', '(0,0)', ''),
(3, NULL, 0, 0, 0, 1, '1e-45', 5e-324, 0.00001000, 1, E'a\nb\t\\', NULL, NULL, NULL,
    NULL, NULL, '0044-03-15 BC', '00:00:00', NULL,
    '10000-01-01 00:00:00', '0001-01-01 00:00:00Z', '0', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, '{{{1}}}', NULL, '{NaN,-Infinity}', NULL, NULL, NULL, '(,)', NULL,
    NULL, NULL, NULL, NULL, NULL);
INSERT INTO shop.every_type (id) VALUES (4);

-- The role of the target, and roles that no target may have.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE ROLE reader LOGIN PASSWORD 'reader-password' CONNECTION LIMIT 40;
ALTER ROLE reader SET temp_file_limit = '64MB';
-- What a role brings along loses against what sessions are pinned to.
ALTER ROLE reader SET search_path = shop, public;
ALTER ROLE reader SET bytea_output = 'escape';
GRANT USAGE ON SCHEMA shop TO reader;
GRANT SELECT (id, country, created_at, tags, settings) ON shop.customers TO reader;
GRANT SELECT (id, customer_id, status, total, placed_at, paid_at) ON shop.orders TO reader;
GRANT SELECT ON shop.items, shop.documents, shop.stuck, shop.daily, shop.every_type TO reader;
GRANT SELECT (id, order_id, state, amount, meta) ON shop.payments TO reader;
CREATE ROLE boss LOGIN SUPERUSER;
CREATE ROLE copier LOGIN REPLICATION;
CREATE ROLE see_all LOGIN BYPASSRLS;
CREATE ROLE watcher LOGIN;
GRANT pg_monitor TO watcher;
CREATE ROLE writer LOGIN;
GRANT USAGE ON SCHEMA shop TO writer;
GRANT SELECT, INSERT ON shop.items TO writer;
CREATE ROLE owner LOGIN;
CREATE TABLE shop.owned (id int);
ALTER TABLE shop.owned OWNER TO owner;
CREATE ROLE stranger LOGIN;
ANALYZE shop.customers, shop.orders, shop.items, shop.payments;
