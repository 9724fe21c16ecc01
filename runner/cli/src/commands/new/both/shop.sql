-- What the target `shop` holds in `borescope test`. Only the columns that the policy lets scripts read:
-- a query that names another one fails here as it would there.
CREATE TABLE orders (
    id          INTEGER PRIMARY KEY,
    number      TEXT NOT NULL,
    status      TEXT NOT NULL,
    total_cents INTEGER NOT NULL,
    paid_at     TEXT,
    shipped_at  TEXT
);

INSERT INTO orders (id, number, status, total_cents, paid_at, shipped_at) VALUES
    (1, 'SO-1', 'paid',      1990, '2026-10-30T09:00:00Z', NULL),                    -- too early
    (2, 'SO-2', 'paid',      4500, '2026-11-02T08:00:00Z', NULL),
    (3, 'SO-3', 'shipped',   2500, '2026-11-02T09:30:00Z', '2026-11-03T07:00:00Z'),  -- shipped
    (4, 'SO-4', 'cancelled',  990, '2026-11-04T12:00:00Z', NULL),
    (5, 'SO-5', 'paid',      7200, '2026-11-05T16:45:00Z', NULL);
