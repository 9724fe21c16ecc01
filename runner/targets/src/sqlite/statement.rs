//! One statement from text to spool, inside a read transaction of its own.
//!
//! Runs on the session's thread. The order matters: identity, grants and the program's check hold
//! for the very snapshot that the statement reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::{Column, LimitName, ParamType, QueryAnalysis, Value};
use rusqlite::hooks::{AuthContext, Authorization};
use rusqlite::{Connection, ErrorCode};

use super::grants::Grants;
use super::open::Open;
use super::{bytecode, catalog, text, value};
use crate::{Canceller, Caps, Spool, TargetError};

/// Virtual machine steps between looks at the clock and the flags: well under a millisecond.
const STEPS: i32 = 1_000;

/// One sentence for hidden and for missing things, so that it tells nothing about hidden ones.
pub(super) const NOT_GRANTED: &str = "it names a table, column or function that does not exist or that the target's policy does not \
     grant; name granted columns instead";

/// A statement to run.
pub(super) struct Job {
    pub(super) sql: String,
    pub(super) params: Vec<(ParamType, Value)>,
    pub(super) caps: Caps,
    /// What its reviewers saw, if anybody did.
    pub(super) reviewed: Option<QueryAnalysis>,
    /// Set when the caller's future was dropped.
    pub(super) abandoned: Arc<AtomicBool>,
    pub(super) cancelled: Canceller,
}

impl Job {
    fn is_stopped(&self) -> bool {
        self.cancelled.is_cancelled() || self.abandoned.load(Ordering::SeqCst)
    }
}

/// Runs the job.
pub(super) fn run(open: &Open, job: &Job) -> Result<Spool, TargetError> {
    if job.is_stopped() {
        return Err(TargetError::Cancelled);
    }
    let reading = text::read(&job.sql, job.params.len())?;
    let bound = value::to_sqlite_all(&job.params)?;
    let ms_max = job.caps.time_ms_max.min(open.spec.statement_ms_max);
    let deadline = Instant::now() + Duration::from_millis(ms_max);
    watch(&open.conn, job, deadline)?;
    let result = open
        .conn
        .execute_batch("BEGIN")
        .map_err(failure)
        .and_then(|()| in_transaction(open, job, &reading, &bound));
    // Whatever happened, the next statement starts clean. A rollback of a read cannot lose data;
    // if it fails, the next BEGIN fails and says so.
    authorize(&open.conn, None)?;
    let _ = open.conn.progress_handler(0, None::<fn() -> bool>);
    let _ = open.conn.execute_batch("ROLLBACK");
    match result {
        Err(_) if job.is_stopped() => Err(TargetError::Cancelled),
        Err(TargetError::Cancelled) => Err(TargetError::StatementTime { ms_max }),
        other => other.map_err(|e| open.told(e, &reading)),
    }
}

fn in_transaction(
    open: &Open,
    job: &Job,
    reading: &text::Reading,
    bound: &[rusqlite::types::Value],
) -> Result<Spool, TargetError> {
    open.check_identity()?;
    let grants = open.grants()?;
    check_using(&grants, reading)?;
    if let Some(reviewed) = &job.reviewed {
        as_reviewed(open, job, reviewed)?;
    }
    let rules = grants.clone();
    authorize(&open.conn, Some(Box::new(move |asked| rules.authorize(&asked))))?;
    // Compile once under the authorizer for the verdict, then the second pass without it, then
    // again under it to run: a statement does not outlive a change of authorizer.
    drop(prepare(&open.conn, &job.sql)?);
    authorize(&open.conn, None)?;
    bytecode::check(open, &job.sql, &reading.names, &grants)?;
    authorize(&open.conn, Some(Box::new(move |asked| grants.authorize(&asked))))?;
    let mut statement = prepare(&open.conn, &job.sql)?;
    bind(&mut statement, bound)?;
    drain(&mut statement, job)
}

/// Compares what the statement reads, in the snapshot that it reads, with what its reviewers saw.
fn as_reviewed(open: &Open, job: &Job, reviewed: &QueryAnalysis) -> Result<(), TargetError> {
    let reads = super::reads(&job.sql, job.params.len(), &open.spec.reads, open.spec.recursion)?;
    let now = catalog::read(open, &reads)?;
    let now = super::analyse(reviewed.name.clone(), &reads, &now);
    let then = super::analyse(reviewed.name.clone(), &reads, &reviewed.catalog);
    if now.catalog == then.catalog {
        return Ok(());
    }
    let mut differences = then.catalog.differences(&now.catalog);
    if differences.is_empty() {
        differences.push("the query reads more than then".to_owned());
    }
    Err(TargetError::Drift { differences })
}

type Rules = Box<dyn FnMut(AuthContext<'_>) -> Authorization + Send>;

fn authorize(conn: &Connection, rules: Option<Rules>) -> Result<(), TargetError> {
    conn.authorizer(rules).map_err(failure)
}

/// Ends the statement at the deadline or when somebody wants it ended.
fn watch(conn: &Connection, job: &Job, deadline: Instant) -> Result<(), TargetError> {
    let (abandoned, cancelled) = (Arc::clone(&job.abandoned), job.cancelled.clone());
    let stop = move || {
        cancelled.is_cancelled() || abandoned.load(Ordering::SeqCst) || Instant::now() >= deadline
    };
    conn.progress_handler(STEPS, Some(stop)).map_err(failure)
}

/// SQLite joins by `USING` without asking the authorizer. The views have no hidden columns; hidden
/// tables must not be named anywhere in such a statement.
pub(super) fn check_using(grants: &Grants, reading: &text::Reading) -> Result<(), TargetError> {
    match !reading.using.is_empty() && grants.hides_any(&reading.names) {
        true => Err(TargetError::not_allowed(NOT_GRANTED)),
        false => Ok(()),
    }
}

pub(super) fn prepare<'c>(
    conn: &'c Connection,
    sql: &str,
) -> Result<rusqlite::Statement<'c>, TargetError> {
    let statement = conn.prepare(sql).map_err(compile_failure)?;
    if !statement.readonly() || statement.is_explain() != 0 || statement.column_count() == 0 {
        return Err(TargetError::not_allowed("only a query that returns rows is allowed"));
    }
    Ok(statement)
}

/// Binds by what each parameter says, not by its place: SQLite takes `$2 … $1` in order of
/// appearance, `$1` being a name to it.
fn bind(
    statement: &mut rusqlite::Statement<'_>,
    bound: &[rusqlite::types::Value],
) -> Result<(), TargetError> {
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or_default();
        let n = name.strip_prefix('$').and_then(|n| n.parse::<usize>().ok());
        let value = n.and_then(|n| n.checked_sub(1)).and_then(|n| bound.get(n));
        let Some(value) = value else {
            let problem = "the statement has a parameter other than $1, $2 …".into();
            return Err(TargetError::BadParameters { problem });
        };
        statement.raw_bind_parameter(index, value).map_err(failure)?;
    }
    Ok(())
}

fn drain(statement: &mut rusqlite::Statement<'_>, job: &Job) -> Result<Spool, TargetError> {
    let columns: Vec<Column> = statement
        .columns()
        .iter()
        .map(|c| Column { name: c.name().into(), db_type: c.decl_type().unwrap_or("").into() })
        .collect();
    let kinds: Vec<value::Kind> = columns.iter().map(|c| value::Kind::of(&c.db_type)).collect();
    let (mut out, mut bytes, mut hit) = (Vec::new(), 0u64, None);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failure)? {
        if out.len() as u64 >= job.caps.rows_max {
            hit = Some(LimitName::QueryRows);
            break;
        }
        let mut cells = Vec::with_capacity(columns.len());
        for (at, (column, kind)) in columns.iter().zip(&kinds).enumerate() {
            let cell = row.get_ref(at).map_err(failure)?;
            let cell = value::from_sqlite(*kind, &column.db_type, cell);
            bytes = bytes.saturating_add(cell.size_bytes());
            cells.push(cell);
        }
        if bytes > job.caps.bytes_max {
            hit = Some(LimitName::QueryBytes);
            break;
        }
        out.push(cells);
    }
    Ok(Spool::new(columns, out, hit))
}

/// Compiling: names that do not exist and names that are denied look the same from outside.
pub(super) fn compile_failure(e: rusqlite::Error) -> TargetError {
    let words = words(&e);
    let too_big = ["too many", "too large", "too long", "stack overflow"];
    match failure(e) {
        TargetError::Database { detail } if too_big.iter().any(|w| words.contains(w)) => {
            TargetError::TooBig { capacity: "the size and depth of a statement", detail }
        }
        TargetError::Database { detail } if !is_syntax(&words) => {
            TargetError::NotAllowed { reason: NOT_GRANTED.into(), detail }
        }
        other => other,
    }
}

/// Whether SQLite's words say that a text is not SQL.
pub(super) fn is_syntax(words: &str) -> bool {
    ["syntax error", "incomplete input", "unrecognized token"].iter().any(|w| words.contains(w))
}

/// SQLite's words. Where it names a place in the statement, its line; not the statement once more.
fn words(e: &rusqlite::Error) -> String {
    match e {
        rusqlite::Error::SqlInputError { msg, sql, offset, .. } => match usize::try_from(*offset) {
            Ok(at) => format!("line {}: {msg}", text::line_of(sql, at)),
            Err(_) => msg.clone(),
        },
        other => other.to_string(),
    }
}

/// SQLite's error in our terms. An interrupt becomes [`TargetError::Cancelled`]; [`run`] knows
/// whether it was the time.
#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
pub(super) fn failure(e: rusqlite::Error) -> TargetError {
    let detail = words(&e);
    if matches!(e, rusqlite::Error::MultipleStatement) {
        return TargetError::not_allowed("only one statement is allowed; remove what follows `;`");
    }
    match e.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => TargetError::Cancelled,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            TargetError::Locked { by: "a writer", detail }
        }
        Some(ErrorCode::TooBig) => {
            TargetError::TooBig { capacity: "values of at most 4 MiB", detail }
        }
        // Also SQLite's word for a program of too many steps.
        Some(ErrorCode::OutOfMemory) => {
            TargetError::TooBig { capacity: "the size of a statement's program", detail }
        }
        Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly) => {
            TargetError::NotAllowed { reason: NOT_GRANTED.into(), detail }
        }
        _ if detail.contains("LIKE or GLOB pattern too complex") => {
            TargetError::TooBig { capacity: "patterns of at most 1000 bytes", detail }
        }
        _ => TargetError::Database { detail },
    }
}
