-- How far each webhook has been told what is in the ledger. What is not told yet is read from there
-- again, so nothing waits here and a restart loses none.

CREATE TABLE notify (
  hook           TEXT PRIMARY KEY,
  next           INTEGER NOT NULL CHECK (next >= 0)           -- ledger index of what is told next
) STRICT;
