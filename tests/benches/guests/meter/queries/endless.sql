SELECT count(*) AS n FROM readings AS a, readings AS b, readings AS c, readings AS d
WHERE a.value + b.value + c.value + d.value < 0
