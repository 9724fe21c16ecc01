-- Orders whose money does not add up: one row each, with the sums that the script compares.
SELECT *
FROM (
    SELECT
        o.id,
        o.number,
        o.currency,
        o.total_cents,
        o.cancelled_at IS NOT NULL AS cancelled,
        sum(p.kind = 'capture') AS captures,
        sum(CASE WHEN p.kind = 'capture' THEN p.amount_cents ELSE 0 END) AS captured_cents,
        -- Captures beyond the first with the same amount: the sign of a retry gone wrong.
        sum(p.kind = 'capture')
            - count(DISTINCT CASE WHEN p.kind = 'capture' THEN p.amount_cents END)
            AS repeated_captures,
        sum(CASE WHEN p.kind = 'refund' THEN p.amount_cents ELSE 0 END) AS refunded_cents
    FROM orders AS o
    JOIN payments AS p ON p.order_id = o.id AND p.state = 'succeeded'
    WHERE o.placed_at >= $1
      AND ($2 IS NULL OR o.placed_at < $2)
    GROUP BY o.id
) AS sums
WHERE repeated_captures > 0
   OR refunded_cents > captured_cents
   OR (captures > 0 AND captured_cents <> total_cents)
   OR (cancelled AND captured_cents > refunded_cents)
ORDER BY id
