-- What is on its way to being authority: proposals of keyring, directory and policy, and keys that
-- strangers claim. Neither is authority, so neither is in the ledger: both are forgotten by time.

CREATE TABLE proposals (
  digest         TEXT PRIMARY KEY CHECK (length(digest) = 71),
  proposed_by    TEXT NOT NULL,
  envelope       BLOB NOT NULL,                               -- with all signatures so far
  created_ms     INTEGER NOT NULL CHECK (created_ms >= 0),
  expires_ms     INTEGER NOT NULL CHECK (expires_ms >= 0)
) STRICT;

CREATE TABLE key_claims (
  digest         TEXT PRIMARY KEY CHECK (length(digest) = 71),
  key_fingerprint TEXT NOT NULL UNIQUE,                       -- the newest claim of a key counts
  peer           TEXT NOT NULL,                               -- the network that it came from
  envelope       BLOB NOT NULL,
  created_ms     INTEGER NOT NULL CHECK (created_ms >= 0),
  expires_ms     INTEGER NOT NULL CHECK (expires_ms >= 0)
) STRICT;
