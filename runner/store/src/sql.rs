//! Every statement of the store, by name; a test prepares each of them against the schema.

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(pub(crate) const $name: &str = $sql;)*

        /// Every statement with its name.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

statements! {
    // Ledger position
    META = "SELECT 'meta' AS key, settled, anchor_size, anchor FROM meta WHERE one = 1";
    SETTLE = "UPDATE meta SET settled = ?1, anchor_size = ?2, anchor = ?3 WHERE one = 1
        AND settled <= ?1 AND anchor_size <= ?2";

    // Revisions
    INSERT_REVISION = "INSERT INTO revisions
        (digest, script, version, summary, bundle_index, uploader, created_ms, ledger_index)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    INSERT_FILE = "INSERT INTO files (revision, path, digest, size_bytes) VALUES (?1, ?2, ?3, ?4)";
    REVISION = "SELECT * FROM revisions WHERE digest = ?1";
    REVISION_TAKEN = "SELECT * FROM revisions WHERE (script = ?1 AND version = ?2) OR digest = ?3
        ORDER BY digest = ?3 LIMIT 1";
    REVISION_BY_VERSION = "SELECT * FROM revisions WHERE script = ?1 AND version = ?2";
    REVISIONS = "SELECT * FROM revisions WHERE (?1 IS NULL OR script = ?1)
        ORDER BY script, ledger_index DESC LIMIT ?2";
    FILES = "SELECT * FROM files WHERE revision = ?1 ORDER BY path";
    FILE = "SELECT * FROM files WHERE revision = ?1 AND path = ?2";

    // Documents
    INSERT_DOCUMENT = "INSERT INTO documents
        (id, kind, digest, envelope, revision, request, person, created_ms, ledger_index)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
    DOCUMENT = "SELECT * FROM documents WHERE id = ?1 OR digest = ?2";
    DOCUMENT_BEFORE = "SELECT * FROM documents WHERE kind = ?1 AND ledger_index < ?2
        ORDER BY ledger_index DESC LIMIT 1";
    DOCUMENT_ENTRY = "SELECT id, kind, digest, ledger_index FROM documents WHERE digest = ?1";
    DOCUMENT_ENTRIES = "SELECT id, kind, digest, ledger_index FROM documents
        WHERE ledger_index >= ?1 ORDER BY ledger_index LIMIT ?2";
    DOCUMENTS_AGAINST = "SELECT * FROM documents WHERE kind IN ('stop', 'lift', 'review', 'withdrawal')
        AND ledger_index >= ?1 ORDER BY ledger_index LIMIT ?2";
    // One text a way to find them: with `?1 IS NULL OR …` SQLite uses no index and reads them all.
    DOCUMENTS = "SELECT * FROM documents WHERE (?1 IS NULL OR kind = ?1)
        AND (?2 IS NULL OR revision = ?2) AND (?3 IS NULL OR request = ?3)
        AND (?4 IS NULL OR person = ?4) ORDER BY ledger_index DESC, id DESC LIMIT ?5";
    DOCUMENTS_OF_KIND = "SELECT * FROM documents WHERE kind = ?1
        AND (?2 IS NULL OR revision = ?2) AND (?3 IS NULL OR request = ?3)
        AND (?4 IS NULL OR person = ?4) ORDER BY ledger_index DESC, id DESC LIMIT ?5";
    DOCUMENTS_OF_REVISION = "SELECT * FROM documents WHERE revision = ?2
        AND (?1 IS NULL OR kind = ?1) AND (?3 IS NULL OR request = ?3)
        AND (?4 IS NULL OR person = ?4) ORDER BY ledger_index DESC, id DESC LIMIT ?5";
    DOCUMENTS_OF_REVISION_AND_KIND = "SELECT * FROM documents WHERE revision = ?2 AND kind = ?1
        AND (?3 IS NULL OR request = ?3)
        AND (?4 IS NULL OR person = ?4) ORDER BY ledger_index DESC, id DESC LIMIT ?5";
    DOCUMENTS_OF_REQUEST_AND_KIND = "SELECT * FROM documents WHERE request = ?3 AND kind = ?1
        AND (?2 IS NULL OR revision = ?2)
        AND (?4 IS NULL OR person = ?4) ORDER BY ledger_index DESC, id DESC LIMIT ?5";
    // The newest of each person before the second newest of any: nobody pushes others out of a list.
    DOCUMENTS_OF_REVISION_FAIRLY = "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY person
        ORDER BY ledger_index DESC, id DESC) AS nth FROM documents WHERE revision = ?1 AND kind = ?2)
        ORDER BY nth, ledger_index DESC, id DESC LIMIT ?3";
    DOCUMENTS_OF_REQUEST_FAIRLY = "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY person
        ORDER BY ledger_index DESC, id DESC) AS nth FROM documents WHERE request = ?1 AND kind = ?2)
        ORDER BY nth, ledger_index DESC, id DESC LIMIT ?3";

    // Runs
    INSERT_RUN = "INSERT INTO runs (id, run_request, request, caller, revision, state, queued_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    RUN = "SELECT * FROM runs WHERE id = ?1";
    RUNS = "SELECT * FROM runs WHERE (?1 IS NULL OR caller = ?1)
        AND (?2 = 0 OR json_extract(state, '$.phase') != 'ended')
        ORDER BY queued_ms DESC, id DESC LIMIT ?3";
    START_RUN = "UPDATE runs SET state = ?2, started_ms = ?3 WHERE id = ?1 AND state = ?4";
    END_RUN = "UPDATE runs SET state = ?2, ended_ms = ?3, denial = ?4, receipt = ?5,
        recording = ?6, result = ?7 WHERE id = ?1 AND state = ?8";
    INSERT_EVENT = "INSERT INTO run_events (run, seq, at_ms, body)
        SELECT ?1, (SELECT count(*) FROM run_events WHERE run = ?1), ?2, ?3
        WHERE EXISTS (SELECT 1 FROM runs WHERE id = ?1) RETURNING run, seq";
    EVENTS = "SELECT * FROM run_events WHERE run = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";

    // Sessions
    INSERT_SESSION = "INSERT INTO sessions
        (id, token_hash, person, key_fingerprint, created_ms, expires_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    LIVE_SESSION = "SELECT * FROM sessions
        WHERE token_hash = ?1 AND expires_ms > ?2 AND revoked_ms IS NULL";
    SESSION_IS_LIVE = "SELECT count(*) FROM sessions
        WHERE id = ?1 AND expires_ms > ?2 AND revoked_ms IS NULL";
    SESSIONS_OF = "SELECT * FROM sessions
        WHERE person = ?1 AND expires_ms > ?2 AND revoked_ms IS NULL
        ORDER BY created_ms DESC, id DESC LIMIT ?3";
    SESSIONS_AFTER = "SELECT * FROM sessions WHERE (created_ms, id) > (?1, ?2)
        ORDER BY created_ms, id LIMIT ?3";
    REVOKE_SESSION = "UPDATE sessions SET revoked_ms = coalesce(revoked_ms, ?3)
        WHERE id = ?1 AND person = ?2 RETURNING *";
    REVOKE_KEY = "UPDATE sessions SET revoked_ms = ?2 WHERE key_fingerprint = ?1 AND revoked_ms IS NULL";
    REVOKE_PERSON = "UPDATE sessions SET revoked_ms = ?2 WHERE person = ?1 AND revoked_ms IS NULL";
    SESSION_KEYS = "SELECT DISTINCT person, key_fingerprint FROM sessions WHERE revoked_ms IS NULL";
    REVOKE_KEY_OF = "UPDATE sessions SET revoked_ms = ?3
        WHERE person = ?1 AND key_fingerprint = ?2 AND revoked_ms IS NULL";
    PURGE_SESSIONS = "DELETE FROM sessions WHERE expires_ms <= ?1";

    // Challenges
    PURGE_CHALLENGES = "DELETE FROM challenges WHERE expires_ms <= ?1";
    INSERT_CHALLENGE = "INSERT INTO challenges (nonce, origin, person, expires_ms)
        SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM challenges) < ?5";
    TAKE_CHALLENGE = "DELETE FROM challenges WHERE nonce = ?1 AND expires_ms > ?2 RETURNING *";

    // Proposals and key claims
    PURGE_PROPOSALS = "DELETE FROM proposals WHERE expires_ms <= ?1";
    PUT_PROPOSAL = "INSERT INTO proposals (digest, proposed_by, envelope, created_ms, expires_ms)
        SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM proposals) < ?6
        OR EXISTS (SELECT 1 FROM proposals WHERE digest = ?1)
        ON CONFLICT (digest) DO UPDATE SET envelope = excluded.envelope";
    PROPOSALS = "SELECT * FROM proposals WHERE expires_ms > ?1 ORDER BY created_ms DESC, digest";
    DROP_PROPOSAL = "DELETE FROM proposals WHERE digest = ?1";
    PURGE_KEY_CLAIMS = "DELETE FROM key_claims WHERE expires_ms <= ?1";
    REPLACE_KEY_CLAIM = "DELETE FROM key_claims WHERE key_fingerprint = ?1";
    INSERT_KEY_CLAIM = "INSERT INTO key_claims
        (digest, key_fingerprint, peer, envelope, created_ms, expires_ms)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM key_claims) < ?7
        AND (SELECT count(*) FROM key_claims WHERE peer = ?3) < ?8";
    KEY_CLAIMS = "SELECT * FROM key_claims WHERE expires_ms > ?1 ORDER BY created_ms DESC, digest";
    TAKE_KEY_CLAIM = "DELETE FROM key_claims WHERE digest = ?1 RETURNING *";

    // Idempotency
    CLAIM = "INSERT INTO idempotency (person, route, key, body_digest, created_ms)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    CLAIMED = "SELECT * FROM idempotency WHERE person = ?1 AND route = ?2 AND key = ?3";
    COMPLETE = "UPDATE idempotency SET status = ?4, response = ?5
        WHERE person = ?1 AND route = ?2 AND key = ?3 AND status IS NULL";
    ABANDON = "DELETE FROM idempotency
        WHERE person = ?1 AND route = ?2 AND key = ?3 AND status IS NULL";
    ABANDON_ALL = "DELETE FROM idempotency WHERE status IS NULL";
    PURGE_IDEMPOTENCY = "DELETE FROM idempotency WHERE created_ms < ?1 AND status IS NOT NULL";
    EVICT_IDEMPOTENCY = "DELETE FROM idempotency WHERE status IS NOT NULL AND rowid IN (
        SELECT rowid FROM idempotency WHERE person = ?1 AND status IS NOT NULL
        ORDER BY created_ms DESC, rowid DESC LIMIT -1 OFFSET ?2)";

    // Webhooks
    TOLD_UNTIL = "SELECT * FROM notify WHERE hook = ?1";
    TOLD = "INSERT INTO notify (hook, next) VALUES (?1, ?2)
        ON CONFLICT (hook) DO UPDATE SET next = excluded.next";

    // Audit
    INSERT_AUDIT = "INSERT INTO audit (ledger_index, at_ms, kind, person, run, subjects)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    INSERT_AUDIT_SUBJECT = "INSERT INTO audit_subjects (subject, ledger_index) VALUES (?1, ?2)
        ON CONFLICT DO NOTHING";
    AUDIT = "SELECT 'audit' AS key, * FROM audit WHERE (?1 IS NULL OR person = ?1)
        AND (?2 IS NULL OR kind = ?2)
        AND (?3 IS NULL OR ledger_index IN (SELECT ledger_index FROM audit_subjects WHERE subject = ?3))
        AND (?4 IS NULL OR at_ms >= ?4) AND (?5 IS NULL OR at_ms < ?5)
        AND (?6 IS NULL OR ledger_index < ?6) ORDER BY ledger_index DESC LIMIT ?7";
}
