//! Corpora of hostile and harmless statements, judged against the gates of the SQL engines.
//!
//! A corpus is a file of the project's corpus format: statements with the verdict that each must get
//! against the grant of the reference database. PostgreSQL's statements go through its gate; SQLite's
//! through a session on a copy of the reference database that is made for this. Other engines are
//! skipped, and so is what only a loaded server can judge (category `resource`).
//!
//! `cases/sql-corpus` has the reference database: PostgreSQL's grant, and SQLite's tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::ParamType;
use rusqlite::Connection;
use serde::Deserialize;
use targets::postgres::gate::{Grant, Hidden, Mask, Relation, gate};
use targets::sqlite::{SqliteConnector, SqliteSpec, TableReads};
use targets::{Caps, Connector as _, Session};

const POSTGRES: &str = include_str!("../cases/sql-corpus/postgres.json");
const SQLITE: &str = include_str!("../cases/sql-corpus/sqlite.sql");

/// What SQLite's queries may read. The masked column is not granted: masks do not exist yet.
const SQLITE_READS: &[(&str, &[&str])] =
    &[("users", &["id", "country", "created_at"]), ("orders", &["id", "user_id", "total"])];
/// The identity of the copy.
const APPLICATION_ID: i32 = 0x626f_7265;
const CAPS: Caps = Caps { rows_max: 10_000, bytes_max: 16 << 20, time_ms_max: 1_000 };

/// A corpus file. What only people read is not here.
#[derive(Deserialize)]
pub struct Corpus {
    /// In the order of the file.
    pub statements: Vec<Statement>,
}

/// A statement and what must become of it.
#[derive(Deserialize)]
pub struct Statement {
    /// Its name, for reports.
    pub id: String,
    /// Whose SQL it is.
    pub engine: String,
    /// What kind of attack, or `benign`.
    pub category: String,
    /// The text.
    pub sql: String,
    /// Whether it must run, with masks applied, or nothing may reach the script.
    pub verdict: Verdict,
    /// Another right outcome: `deny`, or `allow` with a condition that every gate here fulfils.
    #[serde(default)]
    pub acceptable_alternative: Option<String>,
    /// The values of `$1` …
    #[serde(default)]
    pub params: Vec<serde_json::Value>,
}

/// What must become of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It runs.
    Allow,
    /// It does not.
    Deny,
}

/// What a gate did.
enum Outcome {
    Sent(String),
    Refused(String),
    Skipped,
}

/// The counts of a judged corpus, and a line for each wrong verdict.
#[derive(Debug, Default)]
pub struct Report {
    /// All statements of the file.
    pub statements: usize,
    /// Id, category, what was expected, what the gate did.
    pub wrong: Vec<String>,
    /// Those of `wrong` that were sent and had to be refused.
    pub leaks: usize,
    /// Those that nothing here can judge.
    pub skipped: usize,
}

impl Report {
    /// The last line of the report.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self { statements, wrong, leaks, skipped } = self;
        format!("{statements} statements, {} wrong, {leaks} leaks, {skipped} skipped", wrong.len())
    }

    fn add(&mut self, statement: &Statement, outcome: Outcome) {
        self.statements += 1;
        let Statement { id, category, verdict, acceptable_alternative, .. } = statement;
        let other = acceptable_alternative.as_deref().unwrap_or_default();
        let (allowed, denied) = match verdict {
            Verdict::Allow => (true, other == "deny"),
            Verdict::Deny => (other.starts_with("allow"), true),
        };
        let did = match outcome {
            Outcome::Skipped => {
                self.skipped += 1;
                return;
            }
            Outcome::Sent(_) if allowed => return,
            Outcome::Refused(_) if denied => return,
            Outcome::Sent(text) => {
                self.leaks += 1;
                format!("sent: {text}")
            }
            Outcome::Refused(why) => format!("refused: {why}"),
        };
        let expected = match verdict {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
        };
        self.wrong.push(format!("{id} {category}: expected {expected}, {did}"));
    }
}

/// Judges every statement.
///
/// # Panics
/// When the reference database cannot be made.
pub async fn judge(corpus: &Corpus) -> Report {
    let grant = postgres_grant();
    let folder = tempfile::tempdir().unwrap();
    let mut sqlite = sqlite_session(&folder.path().join("reference.db")).await;
    let mut report = Report::default();
    for statement in &corpus.statements {
        let outcome = match (statement.category.as_str(), statement.engine.as_str()) {
            ("resource", _) => Outcome::Skipped,
            (_, "postgres") => through_gate(statement, &grant),
            (_, "sqlite") => through_session(statement, sqlite.as_mut()).await,
            _ => Outcome::Skipped,
        };
        report.add(statement, outcome);
    }
    report
}

/// PostgreSQL's gate alone; nothing is sent anywhere.
fn through_gate(statement: &Statement, grant: &Grant) -> Outcome {
    let params = vec![ParamType::Text; statement.params.len()];
    match gate(&statement.sql, &params, grant) {
        Ok(gated) => Outcome::Sent(gated.sql),
        Err(refusal) => Outcome::Refused(refusal.to_string()),
    }
}

/// SQLite's gate is its authorizer, so the statement runs.
async fn through_session(statement: &Statement, session: &mut dyn Session) -> Outcome {
    if !statement.params.is_empty() {
        return Outcome::Skipped;
    }
    match session.query(&statement.sql, &[], CAPS).await {
        Ok(_) => Outcome::Sent(statement.sql.clone()),
        Err(error) => Outcome::Refused(error.to_string()),
    }
}

fn postgres_grant() -> Grant {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Granted {
        relations: Vec<One>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct One {
        schema: String,
        name: String,
        columns: Vec<String>,
        #[serde(default)]
        masks: BTreeMap<String, domain::Mask>,
        #[serde(default)]
        denied: BTreeSet<String>,
    }
    let granted: Granted = serde_json::from_str(POSTGRES).unwrap();
    let relation = |One { schema, name, columns, masks, denied }| {
        let masks = masks.into_iter().map(|(column, mask)| (column, Mask::new(mask))).collect();
        Relation { schema, name, columns, hidden: Hidden { masks, filter: None, denied } }
    };
    Grant { relations: granted.relations.into_iter().map(relation).collect() }
}

async fn sqlite_session(path: &Path) -> Box<dyn Session> {
    let database = Connection::open(path).unwrap();
    database.execute_batch(SQLITE).unwrap();
    database.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    drop(database);
    let reads = |(table, columns): &(&str, &[&str])| TableReads {
        table: (*table).to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
    };
    let spec = SqliteSpec {
        path: path.to_owned(),
        application_id: APPLICATION_ID,
        reads: SQLITE_READS.iter().map(reads).collect(),
        statement_ms_max: CAPS.time_ms_max,
    };
    SqliteConnector::new(spec).open_session().await.unwrap()
}
