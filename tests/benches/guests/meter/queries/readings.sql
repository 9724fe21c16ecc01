SELECT r.id, r.at, r.sensor, r.value FROM readings AS r ORDER BY r.id LIMIT $1
