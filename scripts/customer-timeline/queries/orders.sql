-- The orders that the timeline is about.
SELECT o.number, o.status, o.currency, o.total_cents, o.placed_at
FROM orders AS o
WHERE o.number = $1 OR o.customer_id = $2
ORDER BY o.placed_at, o.id
