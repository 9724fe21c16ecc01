-- The newest thing that any system said about an order.
SELECT e.at, e.kind, e.detail
FROM events AS e
WHERE e.order_id = $1
ORDER BY e.at DESC, e.id DESC
LIMIT 1
