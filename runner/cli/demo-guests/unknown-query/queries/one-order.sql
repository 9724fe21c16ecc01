SELECT o.number, o.status FROM orders AS o WHERE o.number = $1
