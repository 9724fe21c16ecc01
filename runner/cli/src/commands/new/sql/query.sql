-- Paid since $1 and not shipped, oldest first; only with status $2, if it is given.
-- One SELECT, with the columns by name; the database's own parser checks it before it is sent.
SELECT
    o.id,
    o.number,
    o.status,
    o.total_cents,
    o.paid_at
FROM orders AS o
WHERE o.paid_at >= $1
  AND o.shipped_at IS NULL
  AND ($2 IS NULL OR o.status = $2)
ORDER BY o.paid_at, o.id
