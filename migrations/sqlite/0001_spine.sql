-- The control plane's state: a projection of its ledger, plus what only this process needs
-- (sessions, challenges, idempotency keys). Documents are the bytes that came; nothing here is
-- trusted by a runner. Times are Unix milliseconds, digests `sha256:<hex>`, ids `<kind>_<uuidv7>`.

CREATE TABLE meta (
  one            INTEGER PRIMARY KEY CHECK (one = 1),
  settled        INTEGER NOT NULL CHECK (settled >= 0),      -- every ledger entry below is projected
  anchor_size    INTEGER NOT NULL CHECK (anchor_size >= 0),
  anchor         TEXT NOT NULL                               -- newest signed checkpoint; '' before the first
) STRICT;
INSERT INTO meta (one, settled, anchor_size, anchor) VALUES (1, 0, 0, '');

-- Ledger entries projected at or above meta.settled.
CREATE TABLE applied (
  ledger_index   INTEGER PRIMARY KEY CHECK (ledger_index >= 0)
) STRICT;

CREATE TABLE revisions (
  digest         TEXT PRIMARY KEY CHECK (length(digest) = 71),
  script         TEXT NOT NULL,
  version        TEXT NOT NULL,
  summary        TEXT NOT NULL,
  bundle_index   BLOB NOT NULL,
  uploader       TEXT NOT NULL,
  created_ms     INTEGER NOT NULL CHECK (created_ms >= 0),
  ledger_index   INTEGER NOT NULL CHECK (ledger_index >= 0),
  UNIQUE (script, version)
) STRICT;

CREATE TABLE files (
  revision       TEXT NOT NULL REFERENCES revisions (digest),
  path           TEXT NOT NULL CHECK (length(path) BETWEEN 1 AND 128),
  digest         TEXT NOT NULL CHECK (length(digest) = 71),
  size_bytes     INTEGER NOT NULL CHECK (size_bytes >= 0),
  PRIMARY KEY (revision, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
  id             TEXT PRIMARY KEY,
  kind           TEXT NOT NULL CHECK (kind IN ('submission', 'review', 'access-request', 'approval',
                   'run-request', 'stop', 'keyring', 'directory', 'policy', 'receipt')),
  digest         TEXT NOT NULL UNIQUE CHECK (length(digest) = 71),
  envelope       BLOB NOT NULL,
  revision       TEXT,
  request        TEXT,
  person         TEXT,
  created_ms     INTEGER NOT NULL CHECK (created_ms >= 0),
  ledger_index   INTEGER NOT NULL CHECK (ledger_index >= 0)
) STRICT;
CREATE INDEX documents_by_kind ON documents (kind, ledger_index);
CREATE INDEX documents_by_revision ON documents (revision) WHERE revision IS NOT NULL;
CREATE INDEX documents_by_request ON documents (request) WHERE request IS NOT NULL;

CREATE TABLE runs (
  id             TEXT PRIMARY KEY,
  run_request    TEXT NOT NULL CHECK (length(run_request) = 71),
  request        TEXT,
  caller         TEXT NOT NULL,
  revision       TEXT NOT NULL CHECK (length(revision) = 71),
  state          TEXT NOT NULL CHECK (json_valid(state)),
  queued_ms      INTEGER NOT NULL CHECK (queued_ms >= 0),
  started_ms     INTEGER CHECK (started_ms >= 0),
  ended_ms       INTEGER CHECK (ended_ms >= 0),
  denial         TEXT CHECK (denial IS NULL OR json_valid(denial)),
  receipt        TEXT,
  recording      TEXT CHECK (recording IS NULL OR length(recording) = 71),
  result         TEXT CHECK (result IS NULL OR length(result) = 71),
  CHECK (json_extract(state, '$.phase') != 'ended' OR ended_ms IS NOT NULL)
) STRICT;
CREATE INDEX runs_by_time ON runs (queued_ms);
CREATE INDEX runs_by_caller ON runs (caller, queued_ms);

CREATE TABLE run_events (
  run            TEXT NOT NULL REFERENCES runs (id),
  seq            INTEGER NOT NULL CHECK (seq >= 0),
  at_ms          INTEGER NOT NULL CHECK (at_ms >= 0),
  body           TEXT NOT NULL CHECK (json_valid(body)),
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  id             TEXT PRIMARY KEY,
  token_hash     TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 71),
  person         TEXT NOT NULL,
  key_fingerprint TEXT NOT NULL,
  created_ms     INTEGER NOT NULL CHECK (created_ms >= 0),
  expires_ms     INTEGER NOT NULL CHECK (expires_ms > created_ms),
  revoked_ms     INTEGER
) STRICT;

CREATE TABLE challenges (
  nonce          TEXT PRIMARY KEY,
  origin         TEXT NOT NULL,
  person         TEXT NOT NULL,
  expires_ms     INTEGER NOT NULL CHECK (expires_ms >= 0)
) STRICT;

CREATE TABLE idempotency (
  person         TEXT NOT NULL,
  route          TEXT NOT NULL,
  key            TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
  body_digest    TEXT NOT NULL CHECK (length(body_digest) = 71),
  created_ms     INTEGER NOT NULL CHECK (created_ms >= 0),
  status         INTEGER CHECK (status BETWEEN 100 AND 599),   -- NULL while the first call is at work
  response       BLOB,
  PRIMARY KEY (person, route, key)
) STRICT;
