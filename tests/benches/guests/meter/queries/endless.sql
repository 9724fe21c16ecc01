SELECT count(*) AS n FROM (
  SELECT a.value FROM readings AS a, readings AS b, readings AS c, readings AS d
  WHERE a.value + b.value + c.value + d.value < 0 LIMIT 1
) AS never
