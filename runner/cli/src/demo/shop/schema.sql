-- The sample shop. STRICT tables; times are RFC 3339 in UTC, money is in cents.
-- Personal data is in customers.name, email and phone: the demo's policy leaves these columns out.

CREATE TABLE customers (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    email      TEXT NOT NULL,
    phone      TEXT NOT NULL,
    country    TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE orders (
    id           INTEGER PRIMARY KEY,
    number       TEXT NOT NULL,
    customer_id  INTEGER NOT NULL REFERENCES customers (id),
    status       TEXT NOT NULL CHECK (status IN ('paid', 'shipped', 'delivered', 'cancelled')),
    currency     TEXT NOT NULL,
    total_cents  INTEGER NOT NULL,
    placed_at    TEXT NOT NULL,
    paid_at      TEXT,
    shipped_at   TEXT,
    cancelled_at TEXT
) STRICT;

CREATE TABLE payments (
    id           INTEGER PRIMARY KEY,
    order_id     INTEGER NOT NULL REFERENCES orders (id),
    kind         TEXT NOT NULL CHECK (kind IN ('capture', 'refund')),
    state        TEXT NOT NULL CHECK (state IN ('succeeded', 'failed')),
    amount_cents INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    provider_ref TEXT NOT NULL,
    created_at   TEXT NOT NULL
) STRICT;

CREATE TABLE stock_reservations (
    id          INTEGER PRIMARY KEY,
    order_id    INTEGER NOT NULL REFERENCES orders (id),
    sku         TEXT NOT NULL,
    quantity    INTEGER NOT NULL,
    warehouse   TEXT NOT NULL,
    reserved_at TEXT NOT NULL,
    released_at TEXT
) STRICT;

CREATE TABLE shipments (
    id            INTEGER PRIMARY KEY,
    order_id      INTEGER NOT NULL REFERENCES orders (id),
    carrier       TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    label_at      TEXT,
    first_scan_at TEXT,
    delivered_at  TEXT
) STRICT;

CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id),
    at       TEXT NOT NULL,
    kind     TEXT NOT NULL,
    detail   TEXT NOT NULL
) STRICT;
