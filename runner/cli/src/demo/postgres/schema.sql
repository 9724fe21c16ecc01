-- The sample shop, as PostgreSQL has it. The rows are those of the SQLite shop.
-- Personal data is in customers.name, email and phone: neither the policy nor the role's grants
-- name these columns.

CREATE TABLE customers (
    id         bigint PRIMARY KEY,
    name       text NOT NULL,
    email      text NOT NULL,
    phone      text NOT NULL,
    country    text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE orders (
    id           bigint PRIMARY KEY,
    number       text NOT NULL,
    customer_id  bigint NOT NULL REFERENCES customers (id),
    status       text NOT NULL CHECK (status IN ('paid', 'shipped', 'delivered', 'cancelled')),
    currency     text NOT NULL,
    total_cents  integer NOT NULL,
    placed_at    timestamptz NOT NULL,
    paid_at      timestamptz,
    shipped_at   timestamptz,
    cancelled_at timestamptz
);

CREATE TABLE payments (
    id           bigint PRIMARY KEY,
    order_id     bigint NOT NULL REFERENCES orders (id),
    kind         text NOT NULL CHECK (kind IN ('capture', 'refund')),
    state        text NOT NULL CHECK (state IN ('succeeded', 'failed')),
    amount_cents integer NOT NULL,
    currency     text NOT NULL,
    provider_ref text NOT NULL,
    created_at   timestamptz NOT NULL
);

CREATE TABLE stock_reservations (
    id          bigint PRIMARY KEY,
    order_id    bigint NOT NULL REFERENCES orders (id),
    sku         text NOT NULL,
    quantity    integer NOT NULL,
    warehouse   text NOT NULL,
    reserved_at timestamptz NOT NULL,
    released_at timestamptz
);

CREATE TABLE shipments (
    id            bigint PRIMARY KEY,
    order_id      bigint NOT NULL REFERENCES orders (id),
    carrier       text NOT NULL,
    created_at    timestamptz NOT NULL,
    label_at      timestamptz,
    first_scan_at timestamptz,
    delivered_at  timestamptz
);

CREATE TABLE events (
    id       bigint PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders (id),
    at       timestamptz NOT NULL,
    kind     text NOT NULL,
    detail   text NOT NULL
);
