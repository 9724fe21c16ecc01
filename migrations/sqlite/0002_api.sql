-- Idempotency keys are forgotten by age, and the audit can be searched. The audit is rebuilt from the
-- ledger: a row for each entry that people ask about, and what it is about.

CREATE INDEX idempotency_by_time ON idempotency (created_ms);

CREATE TABLE audit (
  ledger_index   INTEGER PRIMARY KEY CHECK (ledger_index >= 0),
  at_ms          INTEGER NOT NULL CHECK (at_ms >= 0),
  kind           TEXT NOT NULL,
  person         TEXT,
  run            TEXT,                                        -- shown to those who may see the run
  subjects       TEXT NOT NULL CHECK (json_valid(subjects))
) STRICT;
CREATE INDEX audit_by_person ON audit (person, ledger_index) WHERE person IS NOT NULL;
CREATE INDEX audit_by_kind ON audit (kind, ledger_index);

CREATE TABLE audit_subjects (
  subject        TEXT NOT NULL,
  ledger_index   INTEGER NOT NULL REFERENCES audit (ledger_index),
  PRIMARY KEY (subject, ledger_index)
) STRICT, WITHOUT ROWID;
