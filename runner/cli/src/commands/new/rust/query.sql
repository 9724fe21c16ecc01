-- Paid since $1 and not shipped, oldest first, at most $2.
-- One SELECT, with the columns by name; the database's own parser checks it before it is sent.
SELECT
    o.number,
    o.status,
    o.total_cents,
    o.paid_at
FROM orders AS o
WHERE o.paid_at >= $1
  AND o.shipped_at IS NULL
ORDER BY o.paid_at, o.id
LIMIT $2
