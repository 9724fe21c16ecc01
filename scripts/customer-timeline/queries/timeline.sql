-- What every system recorded about the chosen orders, oldest first.
-- A parameter that is NULL equals nothing, so an empty input finds nothing.
WITH chosen AS (
    SELECT o.id, o.number, o.placed_at, o.paid_at, o.shipped_at, o.cancelled_at
    FROM orders AS o
    WHERE o.number = $1 OR o.customer_id = $2
)
SELECT c.placed_at AS at, c.number AS "order", 'orders' AS source, 'placed' AS what, NULL AS detail
FROM chosen AS c
UNION ALL
SELECT c.paid_at, c.number, 'orders', 'marked as paid', NULL
FROM chosen AS c WHERE c.paid_at IS NOT NULL
UNION ALL
SELECT c.shipped_at, c.number, 'orders', 'marked as shipped', NULL
FROM chosen AS c WHERE c.shipped_at IS NOT NULL
UNION ALL
SELECT c.cancelled_at, c.number, 'orders', 'cancelled', NULL
FROM chosen AS c WHERE c.cancelled_at IS NOT NULL
UNION ALL
SELECT p.created_at, c.number, 'payments', p.kind || ' ' || p.state,
       p.amount_cents || ' cents ' || p.currency || ', ' || p.provider_ref
FROM chosen AS c JOIN payments AS p ON p.order_id = c.id
UNION ALL
SELECT r.reserved_at, c.number, 'stock', 'reserved', r.quantity || ' of ' || r.sku || ' in ' || r.warehouse
FROM chosen AS c JOIN stock_reservations AS r ON r.order_id = c.id
UNION ALL
SELECT r.released_at, c.number, 'stock', 'released', r.quantity || ' of ' || r.sku || ' in ' || r.warehouse
FROM chosen AS c JOIN stock_reservations AS r ON r.order_id = c.id
WHERE r.released_at IS NOT NULL
UNION ALL
SELECT s.created_at, c.number, 'shipments', 'shipment made', s.carrier
FROM chosen AS c JOIN shipments AS s ON s.order_id = c.id
UNION ALL
SELECT s.label_at, c.number, 'shipments', 'label printed', s.carrier
FROM chosen AS c JOIN shipments AS s ON s.order_id = c.id WHERE s.label_at IS NOT NULL
UNION ALL
SELECT s.first_scan_at, c.number, 'shipments', 'first scan', s.carrier
FROM chosen AS c JOIN shipments AS s ON s.order_id = c.id WHERE s.first_scan_at IS NOT NULL
UNION ALL
SELECT s.delivered_at, c.number, 'shipments', 'delivered', s.carrier
FROM chosen AS c JOIN shipments AS s ON s.order_id = c.id WHERE s.delivered_at IS NOT NULL
UNION ALL
SELECT e.at, c.number, 'events', e.kind, e.detail
FROM chosen AS c JOIN events AS e ON e.order_id = c.id
ORDER BY 1, 2, 3, 4
