//! Corpora of hostile and harmless statements, judged against the gates of the SQL engines.
//!
//! A corpus is a file of the project's corpus format: statements with the verdict that each must get
//! against the grant of the reference database. PostgreSQL's statements go through its gate; SQLite's
//! through a session on a copy of the reference database that is made for this. Other engines are
//! skipped. With servers ([`live`]), what PostgreSQL's gate lets pass is executed as well, and whatever
//! is to exhaust a server (category `resource`) is judged: it has to end within the limits.
//!
//! Wherever a statement runs, a canary in its rows or its error is a leak.
//!
//! `cases/sql-corpus` has the reference database: PostgreSQL's grant, and the tables.

pub mod live;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::Deserialize;
use targets::postgres::gate::{Grant, Hidden, Mask, Relation, gate};
use targets::sqlite::{SqliteConnector, SqliteSpec, TableReads};
use targets::{Caps, Connector as _, HashKeys, Session};

pub use live::Servers;

const POSTGRES: &str = include_str!("../cases/sql-corpus/postgres.json");
const SQLITE: &str = include_str!("../cases/sql-corpus/sqlite.sql");

/// What SQLite's queries may read; `email` has a mask.
const SQLITE_READS: &[(&str, &[&str])] = &[
    ("users", &["id", "email", "country", "created_at"]),
    ("orders", &["id", "user_id", "total"]),
];
/// The identity of the copy.
const APPLICATION_ID: i32 = 0x626f_7265;
/// Milliseconds beyond a statement's time in which it has ended.
const GRACE_MS: u64 = 2_000;
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

/// What became of a statement.
enum Outcome {
    /// It ran, or would run.
    Sent(String),
    /// The gate, or the target, refused it.
    Refused(String),
    /// It ended, however it did.
    Ended,
    /// It did harm.
    Harmed(String),
    Skipped,
}

/// The counts of a judged corpus, and a line for each wrong verdict.
#[derive(Debug, Default)]
pub struct Report {
    /// All statements of the file.
    pub statements: usize,
    /// Id, category, what was expected, what the gate did.
    pub wrong: Vec<String>,
    /// Those of `wrong` that were sent and had to be refused, or showed or changed something.
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
            Outcome::Ended => return,
            Outcome::Sent(_) if allowed => return,
            Outcome::Refused(_) if denied => return,
            Outcome::Sent(text) => {
                self.leaks += 1;
                format!("sent: {text}")
            }
            Outcome::Harmed(harm) => {
                self.leaks += 1;
                harm
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

/// Judges every statement, with servers on them, too.
///
/// # Panics
/// When the reference database cannot be made.
pub async fn judge(corpus: &Corpus, servers: Option<&Servers>) -> Report {
    let grant = postgres_grant();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reference.db");
    let mut sqlite = sqlite_session(&file).await;
    let before = std::fs::read(&file).unwrap();
    let mut report = Report::default();
    for statement in &corpus.statements {
        let outcome = match (statement.engine.as_str(), servers) {
            ("postgres" | "sqlite", None) if statement.is_bomb() => Outcome::Skipped,
            ("postgres", None) => through_gate(statement, &grant),
            ("postgres", Some(servers)) => match through_gate(statement, &grant) {
                Outcome::Sent(_) => on_servers(statement, servers).await,
                other => other,
            },
            ("sqlite", _) => through_session(statement, sqlite.as_mut()).await,
            _ => Outcome::Skipped,
        };
        report.add(statement, outcome);
    }
    assert!(std::fs::read(&file).unwrap() == before, "a statement changed SQLite's file");
    report
}

impl Statement {
    /// Whether it is to exhaust a server.
    fn is_bomb(&self) -> bool {
        self.category == "resource"
    }

    /// A canary in what came of it, unless it was in the statement.
    fn canary(&self, shown: &str) -> Option<&'static str> {
        CANARIES.iter().find(|c| has(shown, c) && !has(&self.sql, c)).copied()
    }

    /// What is to be said of a statement that ran to its end.
    fn ran(&self, answer: Result<String, String>) -> Outcome {
        let shown = match &answer {
            Ok(rows) => rows,
            Err(error) => error,
        };
        match (self.canary(shown), answer) {
            (Some(canary), _) => Outcome::Harmed(format!("showed {canary}")),
            (None, _) if self.is_bomb() => Outcome::Ended,
            (None, Ok(_)) => Outcome::Sent(self.sql.clone()),
            (None, Err(why)) => Outcome::Refused(why),
        }
    }
}

/// Forms of values that nobody may see; `#` is a digit.
const CANARIES: &[&str] = &[
    "user#@example",
    "user##@example",
    "user###@example",
    "user####@example",
    "Name #",
    "ssn#",
    "99999####",
    "sk_live",
    "CAFEBABE",
    "tok_",
    "hunter2",
    "root:x:0",
];

/// Whether a text has something of this form.
fn has(text: &str, form: &str) -> bool {
    let fits = |(c, f): (&u8, u8)| if f == b'#' { c.is_ascii_digit() } else { *c == f };
    text.as_bytes().windows(form.len()).any(|w| w.iter().zip(form.bytes()).all(fits))
}

/// PostgreSQL's gate alone; nothing is sent anywhere.
fn through_gate(statement: &Statement, grant: &Grant) -> Outcome {
    let params: Vec<_> = statement.params.iter().map(|p| live::param(p).0).collect();
    match gate(&statement.sql, &params, grant) {
        Ok(gated) => Outcome::Sent(gated.sql),
        Err(refusal) => Outcome::Refused(refusal.to_string()),
    }
}

/// What the gate lets pass, executed.
async fn on_servers(statement: &Statement, servers: &Servers) -> Outcome {
    let live::Lived { answer, damage } = servers.run(statement).await;
    match damage {
        Some(damage) => Outcome::Harmed(damage),
        None => statement.ran(answer),
    }
}

/// SQLite's gate is its authorizer, so the statement runs.
async fn through_session(statement: &Statement, session: &mut dyn Session) -> Outcome {
    let params: Vec<_> = statement.params.iter().map(live::param).collect();
    let started = Instant::now();
    let answer = session.query(&statement.sql, &params, CAPS).await;
    if started.elapsed() > Duration::from_millis(CAPS.time_ms_max + GRACE_MS) {
        return Outcome::Harmed(format!("took {} ms", started.elapsed().as_millis()));
    }
    statement.ran(answer.map(crate::postgres::text).map_err(|e| e.to_string()))
}

/// What policy grants of PostgreSQL's reference database.
///
/// # Panics
/// When its file is not one.
#[must_use]
pub fn postgres_grant() -> Grant {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Granted {
        relations: Vec<One>,
        recursion: bool,
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
    let Granted { relations, recursion } = granted;
    Grant { relations: relations.into_iter().map(relation).collect(), recursion }
}

async fn sqlite_session(path: &Path) -> Box<dyn Session> {
    let database = Connection::open(path).unwrap();
    database.execute_batch(SQLITE).unwrap();
    database.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    drop(database);
    let reads = |(table, columns): &(&str, &[&str])| {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        let mut reads = TableReads::plain(table, columns);
        if *table == "users" {
            reads.hidden.masks.insert("email".to_owned(), domain::Mask::Email);
            reads.hidden.denied.insert("ssn".to_owned());
        }
        reads
    };
    let spec = SqliteSpec {
        path: path.to_owned(),
        application_id: APPLICATION_ID,
        reads: SQLITE_READS.iter().map(reads).collect(),
        recursion: true,
        keys: HashKeys::new(),
        statement_ms_max: CAPS.time_ms_max,
    };
    SqliteConnector::new(spec).open_session().await.unwrap()
}

#[cfg(test)]
mod tests;
