SELECT count(o.id) AS orders FROM orders AS o
