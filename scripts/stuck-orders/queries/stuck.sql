-- Paid, neither shipped nor cancelled, with what is there of the way to the door.
-- One row an order, in batches by order id.
SELECT
    o.id,
    o.number,
    o.paid_at,
    o.total_cents,
    (SELECT coalesce(sum(p.amount_cents), 0) FROM payments AS p
      WHERE p.order_id = o.id AND p.kind = 'capture' AND p.state = 'succeeded') AS captured_cents,
    (SELECT count(*) FROM stock_reservations AS r
      WHERE r.order_id = o.id AND r.released_at IS NULL) AS reservations,
    s.id AS shipment_id,
    s.carrier,
    s.label_at,
    s.first_scan_at
FROM orders AS o
JOIN customers AS c ON c.id = o.customer_id
-- A replaced shipment leaves its row behind; the newest one counts.
LEFT JOIN shipments AS s ON s.id = (SELECT max(n.id) FROM shipments AS n WHERE n.order_id = o.id)
WHERE o.paid_at >= $1
  AND ($2 IS NULL OR o.paid_at < $2)
  AND o.shipped_at IS NULL
  AND o.cancelled_at IS NULL
  AND ($3 IS NULL OR c.country = $3)
  AND o.id > $4
ORDER BY o.id
LIMIT $5
