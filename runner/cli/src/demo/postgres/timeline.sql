-- What the shop's systems noted about the chosen orders, oldest first.
-- A parameter that is NULL equals nothing, so an empty input finds nothing.
SELECT e.at, o.number AS "order", 'events' AS source, e.kind AS what, e.detail
FROM orders AS o
JOIN events AS e ON e.order_id = o.id
WHERE o.number = $1 OR o.customer_id = $2
ORDER BY e.at, o.number, e.kind
