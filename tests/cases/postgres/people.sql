-- What masks and row filters have to get right: empty and short values, marks that are missing or
-- repeated, characters of several bytes, the ends of types. Whatever must not be seen says canary, or
-- 4242 where it is a number.

CREATE DOMAIN shop.address_of_mail AS text;
CREATE COLLATION shop.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE shop.people (
    id int PRIMARY KEY,
    nulled text, hidden jsonb, card varchar(40), email shop.address_of_mail,
    ssn text COLLATE shop.blind, token uuid,
    age smallint, born_in int, points bigint, score float8, ratio float4, paid numeric,
    born date, seen timestamptz, gone timestamp
);
INSERT INTO shop.people VALUES
(1, 'canary', '"canary"', 'canary-canary-1234', 'canary@example.com', 'Hi There',
    '42424242-4242-4242-4242-424242424242',
    42, 4242, 42424242, 42.42, 0.4242, 4242.4242, '1942-04-24', '2026-04-24 04:24:42Z', '2026-04-24'),
(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
(3, '', '{}', '', '', '', '00000000-0000-0000-0000-000000000000', 0, 0, 0, 0, 0, 0,
    'epoch', 'epoch', 'epoch'),
(4, 'x', '[]', 'canary4', 'canary4', 'hi there', NULL, -1, -1, -1, -0.5, -1e-45, -0.0001,
    'infinity', 'infinity', 'infinity'),
(5, 'x', 'null', 'кредит42', 'é@exämple.com', 'ключ', NULL, -32768, -2147483648,
    -9223372036854775808, 'NaN', 'NaN', 'NaN', '-infinity', '-infinity', '-infinity'),
(6, 'x', '0', repeat('💳', 8), 'c@b@example.com', repeat('s', 1000), NULL, 32767, 2147483647,
    9223372036854775807, 'Infinity', '-Infinity', '-Infinity', '4714-11-24 BC',
    '4714-11-24 00:00:00Z BC', '4714-11-24 BC'),
(7, 'x', '0', '12345678', 'c@sub.example-1.com', 'seven', NULL, 7, 7, 7, 5e-324, 3e38, 'Infinity',
    '5874897-12-31', '294276-12-31 23:59:59Z', '294276-12-31'),
(8, 'x', '0', '1234567', repeat('canary', 100) || '@example.com', repeat('S', 1000), NULL, 8, 8, 8,
    -5e-324, -1, 1e100, '0044-03-15 BC', '0044-03-15 Z BC', '0044-03-15 BC'),
(9, 'x', '0', E'line\nline', 'two words@example.com', '9', NULL, 9, 9, 9, 1, 1, 1,
    '2026-11-28', '2026-11-28 12:34:56Z', '2026-11-28 12:34:56'),
(10, 'x', '0', '', 'canary@pass:word', '10', NULL, 10, 10, 10, 10, 10, 10, '2026-01-01',
    '2026-01-01Z', '2026-01-01');

CREATE TABLE shop.letters (id int PRIMARY KEY, tenant text NOT NULL, body text NOT NULL);
INSERT INTO shop.letters SELECT n, CASE WHEN n % 2 = 0 THEN 'ours' ELSE 'theirs' END,
    CASE WHEN n % 2 = 0 THEN n::text ELSE 'canary ' || n END
FROM generate_series(1, 100) n;
ANALYZE shop.people, shop.letters;

-- Sessions of one may hash: their parameters stay out of the server's log. Those of the other may not.
CREATE ROLE hasher LOGIN;
ALTER ROLE hasher SET log_parameter_max_length = 0;
CREATE ROLE logged LOGIN;
GRANT USAGE ON SCHEMA shop TO hasher, logged;
GRANT SELECT ON shop.people, shop.letters TO hasher, logged;
