SELECT o.id, o.number FROM orders AS o ORDER BY o.id
