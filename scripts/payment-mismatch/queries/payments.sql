-- Every attempt to move money for one order, failed ones too.
SELECT o.number AS "order", p.created_at, p.kind, p.state, p.amount_cents, p.currency, p.provider_ref
FROM payments AS p
JOIN orders AS o ON o.id = p.order_id
WHERE p.order_id = $1
ORDER BY p.created_at, p.id
