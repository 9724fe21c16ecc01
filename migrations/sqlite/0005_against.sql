-- Lifts, withdrawals and after-reviews are documents, too. A CHECK cannot be changed in place, so the
-- table is made anew with the same rows.

CREATE TABLE documents_new (
  id             TEXT PRIMARY KEY,
  kind           TEXT NOT NULL CHECK (kind IN ('submission', 'review', 'access-request', 'approval',
                   'run-request', 'stop', 'lift', 'withdrawal', 'after-review', 'keyring', 'directory',
                   'policy', 'receipt')),
  digest         TEXT NOT NULL UNIQUE CHECK (length(digest) = 71),
  envelope       BLOB NOT NULL,
  revision       TEXT,
  request        TEXT,
  person         TEXT,
  created_ms     INTEGER NOT NULL CHECK (created_ms >= 0),
  ledger_index   INTEGER NOT NULL CHECK (ledger_index >= 0)
) STRICT;
INSERT INTO documents_new (id, kind, digest, envelope, revision, request, person, created_ms, ledger_index)
  SELECT id, kind, digest, envelope, revision, request, person, created_ms, ledger_index FROM documents;
DROP TABLE documents;
ALTER TABLE documents_new RENAME TO documents;
CREATE INDEX documents_by_kind ON documents (kind, ledger_index);
CREATE INDEX documents_by_revision ON documents (revision, kind, ledger_index) WHERE revision IS NOT NULL;
CREATE INDEX documents_by_request ON documents (request, kind, ledger_index) WHERE request IS NOT NULL;
