//! One statement from reviewed text to spool, inside a read-only transaction of its own.
//!
//! The order matters: the server's state is checked by the transaction's first statement; the gated
//! text is prepared alone, so it is one statement and its types are known, before it is put into our
//! own text, which cuts rows and withholds what is too large where it is, at the server.

use domain::plan::Expected;
use domain::{Column, LimitName, ParamType, QueryAnalysis, Value};
use futures_util::TryStreamExt as _;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, IsolationLevel, Portal, Row, Transaction};
use zeroize::Zeroizing;

use super::catalog;
use super::failure::failure;
use super::gate::{self, Gated, Passed, Refusal, gate};
use super::grants::Grants;
use super::identity::{Found, Looks};
use super::params::{Bound, bind, type_of};
use super::plan;
use super::spec::PostgresSpec;
use super::value::{Form, Raw, read, type_name};
use crate::{Caps, Spool, TargetError};

/// Columns of a result.
const COLUMNS_MAX: usize = 500;
/// Bytes of a row's cells of unbounded types: the most that the server sends in one piece.
const ROW_BYTES_MAX: u64 = 4 << 20;
/// Rows that are asked for at first, and at most, at a time.
const FETCH_ROWS_MIN: i32 = 256;
const FETCH_ROWS_MAX: i32 = 10_000;
/// Bytes that are asked for at a time, going by the rows before.
const FETCH_BYTES: u64 = 1 << 20;

/// What a statement runs against.
pub(super) struct Place<'a> {
    pub(super) spec: &'a PostgresSpec,
    pub(super) found: &'a Found,
    pub(super) grants: &'a Grants,
    /// What its reviewers saw, if anybody did.
    pub(super) reviewed: Option<&'a QueryAnalysis>,
}

/// Gates and runs one statement, for at most `ms_max`.
pub(super) async fn run(
    client: &mut Client,
    place: &Place<'_>,
    passed: &mut Passed,
    sql: &str,
    params: &[(ParamType, Value)],
    caps: Caps,
    ms_max: u64,
) -> Result<Spool, TargetError> {
    let types: Vec<ParamType> = params.iter().map(|(t, _)| *t).collect();
    let gated = passed.gate(sql, &types).map_err(|refusal| refused(&refusal))?;
    let keys = keys(&gated, place.spec)?;
    let mut bound = bind(params)?;
    bound.extend(keys.iter().map(|key| Bound::Key(key.as_slice())));
    let own = types.into_iter().map(type_of);
    let types: Vec<Type> = own.chain(keys.iter().map(|_| Type::BYTEA)).collect();
    let mut looks = Looks::default();
    loop {
        let transaction = client
            .build_transaction()
            // Each statement sees what is committed by then: the catalog as the parser saw it. The
            // query is one statement, so what it sees is of one moment all the same.
            .isolation_level(IsolationLevel::ReadCommitted)
            .read_only(true)
            .start()
            .await
            .map_err(failure)?;
        let fresh = looks.again(transaction.client(), place.spec, place.found, ms_max).await;
        let result = match fresh {
            Ok(Some(lag_s)) => {
                let running = in_transaction(&transaction, place, &gated, &types, &bound, caps);
                Some(running.await.map(|spool| spool.behind(lag_s)))
            }
            Ok(None) => None,
            Err(e) => Some(Err(e)),
        };
        // Nothing can be lost. After an error this says whether the connection still works.
        let ended = transaction.rollback().await.map_err(failure);
        match result {
            Some(result) => {
                let result = result.map_err(|e| wordless(e, &gated));
                return result.and_then(|spool| ended.map(|()| spool));
            }
            None => ended?,
        }
    }
}

/// Gates one statement and asks what the planner expects of it.
pub(super) async fn expect(
    client: &mut Client,
    place: &Place<'_>,
    sql: &str,
    params: &[ParamType],
    ms_max: u64,
) -> Result<Expected, TargetError> {
    let gated = gate(sql, params, &place.grants.grant).map_err(|refusal| refused(&refusal))?;
    let keys = gated.keys.iter().flat_map(|_| [Type::BYTEA, Type::BYTEA]);
    let types: Vec<Type> = params.iter().copied().map(type_of).chain(keys).collect();
    let mut looks = Looks::default();
    loop {
        let transaction = client.build_transaction().read_only(true).start();
        let transaction = transaction.await.map_err(failure)?;
        let fresh = looks.again(transaction.client(), place.spec, place.found, ms_max).await;
        let expected = match fresh {
            Ok(Some(_)) => Some(plan::expect(&transaction, &gated.sql, &types).await),
            Ok(None) => None,
            Err(e) => Some(Err(e)),
        };
        let ended = transaction.rollback().await.map_err(failure);
        match expected {
            Some(expected) => return expected.and_then(|expected| ended.map(|()| expected)),
            None => ended?,
        }
    }
}

/// The same error without the server's words, of which the code stays, where something is hidden of what
/// the statement reads: words of such errors quote values, and evidence is read by more people than the
/// table. Masks and row filters raise none by what they are made of; this does not rest on it.
fn wordless(error: TargetError, gated: &Gated) -> TargetError {
    let hides = |r: &gate::Relation| !r.hidden.masks.is_empty() || r.hidden.filter.is_some();
    let TargetError::Database { detail } = &error else { return error };
    match detail.split_once(": ") {
        Some((code, _)) if gated.reads.iter().any(hides) => {
            let why = "its words are left out, because something is hidden of what the query reads";
            TargetError::Database { detail: format!("{code}: {why}") }
        }
        _ => error,
    }
}

/// The keys that a statement's hashes are made with, as they are bound behind its own parameters.
fn keys(gated: &Gated, spec: &PostgresSpec) -> Result<Vec<Zeroizing<[u8; 64]>>, TargetError> {
    let pads = |class| {
        let key = spec.keys.get(class).ok_or_else(|| TargetError::Config {
            problem: format!("there is no key for the hash class {class}"),
        })?;
        Ok(key.pads())
    };
    let all: Result<Vec<_>, TargetError> = gated.keys.iter().map(pads).collect();
    Ok(all?.into_iter().flatten().collect())
}

fn refused(refusal: &Refusal) -> TargetError {
    match &refusal.what {
        gate::What::Grant { problem } => TargetError::Config { problem: problem.clone() },
        _ => TargetError::not_allowed(refusal.to_string()),
    }
}

async fn in_transaction(
    transaction: &Transaction<'_>,
    place: &Place<'_>,
    gated: &Gated,
    types: &[Type],
    bound: &[Bound<'_>],
    caps: Caps,
) -> Result<Spool, TargetError> {
    let sql = &gated.sql;
    let described = transaction.prepare_typed(sql, types).await.map_err(failure)?;
    let columns = described.columns();
    if let Some(reviewed) = place.reviewed {
        as_reviewed(transaction.client(), gated, reviewed).await?;
    }
    place.grants.check_origins(columns)?;
    if columns.is_empty() {
        return Err(TargetError::not_allowed("only a query that returns columns is allowed"));
    }
    if columns.len() > COLUMNS_MAX {
        let capacity = "results of at most 500 columns";
        return Err(TargetError::TooBig { capacity, detail: String::new() });
    }
    let forms: Vec<Form> = columns.iter().map(|c| Form::of(c.type_())).collect();
    let name = |c: &tokio_postgres::Column| Column {
        name: c.name().into(),
        db_type: type_name(c.type_()),
    };
    let columns = columns.iter().map(name).collect();
    let row_bytes_max = caps.bytes_max.min(ROW_BYTES_MAX);
    let wrapped = wrap(sql, &forms, caps.rows_max, row_bytes_max);
    plan::check(transaction, &wrapped, types, bound, place.spec.cost_max).await?;
    let statement = transaction.prepare_typed(&wrapped, types).await.map_err(failure)?;
    let portal = transaction.bind_raw(&statement, bound).await.map_err(bad_value)?;
    Fetch { forms, columns, caps, rows: Vec::new(), bytes: 0 }.drain(transaction, &portal).await
}

/// Compares what the parsed statement reads and calls with what its reviewers saw. Parsing has locked
/// its relations, so nobody changes them before it has run.
async fn as_reviewed(
    client: &Client,
    gated: &Gated,
    reviewed: &QueryAnalysis,
) -> Result<(), TargetError> {
    let calls: Vec<String> = gated.all_calls().into_iter().collect();
    let now = catalog::read(client, &gated.reads, &calls).await?;
    let now = super::analyse(reviewed.name.clone(), gated, &now);
    // Where a mask is left out, its functions are not called; nobody minds.
    let then = super::analyse(reviewed.name.clone(), gated, &reviewed.catalog);
    if now.catalog == then.catalog {
        return Ok(());
    }
    let mut differences = then.catalog.differences(&now.catalog);
    if differences.is_empty() {
        differences.push("the query reads or calls more than then".to_owned());
    }
    Err(TargetError::Drift { differences })
}

/// The server could not read a parameter as its type: a date that does not exist, for example.
pub(super) fn bad_value(e: tokio_postgres::Error) -> TargetError {
    if e.code().is_some_and(|code| code.code().starts_with("22")) {
        let problem = "a value is outside its type, such as a date that does not exist".into();
        return TargetError::BadParameters { problem };
    }
    failure(e)
}

/// The text that runs. Innermost, what is not read from its binary form becomes text: by `concat`,
/// which calls a type's output function; a cast could call anybody's. Then come at most one row more
/// than the cap, each with the size of its large cells; then whether that is too much; and, if it is
/// not, the cells. A level with `LIMIT` is computed once, so nothing is turned into text twice.
fn wrap(sql: &str, forms: &[Form], rows_max: u64, row_bytes_max: u64) -> String {
    let names: Vec<String> = (1..=forms.len()).map(|n| format!("c{n}")).collect();
    let list = |each: &dyn Fn(&Form, &String) -> String| {
        let texts: Vec<String> = forms.iter().zip(&names).map(|(f, n)| each(f, n)).collect();
        texts.join(", ")
    };
    let bare = names.join(", ");
    // A bigint holds it; one more than the cap tells that there was more.
    let limit = rows_max.min(i64::MAX.unsigned_abs() - 1) + 1;
    let mut rows = format!("(\n{sql}\n) AS q({bare})");
    if forms.iter().any(|form| form.as_text) {
        let texts = list(&|form, n| match form.as_text {
            true => format!(
                "CASE WHEN pg_catalog.num_nonnulls({n}) = 1 THEN pg_catalog.concat({n}) END AS {n}"
            ),
            false => n.clone(),
        });
        rows = format!("(SELECT {texts} FROM {rows} LIMIT {limit}) AS t");
    }
    let large: Vec<String> = forms
        .iter()
        .zip(&names)
        .filter(|(form, _)| form.unbounded)
        .map(|(_, n)| format!("coalesce(pg_catalog.octet_length({n}), 0)::int8"))
        .collect();
    if large.is_empty() {
        return format!("SELECT false, {bare} FROM {rows} LIMIT {limit}");
    }
    let size = large.join(" + ");
    let kept = list(&|form, n| match form.unbounded {
        true => format!("CASE WHEN size <= {row_bytes_max} THEN {n} END"),
        false => n.clone(),
    });
    format!(
        "SELECT size > {row_bytes_max}, {kept} FROM \
         (SELECT {size} AS size, {bare} FROM {rows} LIMIT {limit}) AS s"
    )
}

/// Rows on their way into the spool.
struct Fetch {
    forms: Vec<Form>,
    columns: Vec<Column>,
    caps: Caps,
    rows: Vec<Vec<Value>>,
    bytes: u64,
}

impl Fetch {
    async fn drain(
        mut self,
        transaction: &Transaction<'_>,
        portal: &Portal,
    ) -> Result<Spool, TargetError> {
        let mut fetch_rows = FETCH_ROWS_MIN;
        loop {
            let (rows_before, bytes_before) = (self.rows.len(), self.bytes);
            let stream = transaction.query_portal_raw(portal, fetch_rows);
            let mut stream = std::pin::pin!(stream.await.map_err(failure)?);
            while let Some(row) = stream.try_next().await.map_err(failure)? {
                // What is left of this fetch is read and dropped by the connection.
                if let Some(limit) = self.take(&row)? {
                    return Ok(Spool::new(self.columns, self.rows, Some(limit)));
                }
            }
            if stream.rows_affected().is_some() {
                return Ok(Spool::new(self.columns, self.rows, None));
            }
            let rows = (self.rows.len() - rows_before).max(1) as u64;
            let row_bytes = (self.bytes - bytes_before) / rows;
            let fits = i32::try_from(FETCH_BYTES / row_bytes.max(1)).unwrap_or(i32::MAX);
            fetch_rows = fits.clamp(FETCH_ROWS_MIN, FETCH_ROWS_MAX);
        }
    }

    /// Takes a row, or says which cap keeps it out.
    fn take(&mut self, row: &Row) -> Result<Option<LimitName>, TargetError> {
        if self.rows.len() as u64 >= self.caps.rows_max {
            return Ok(Some(LimitName::QueryRows));
        }
        if row.try_get(0).map_err(failure)? {
            if self.caps.bytes_max < ROW_BYTES_MAX {
                return Ok(Some(LimitName::QueryBytes));
            }
            let capacity = "rows of at most 4 MiB";
            return Err(TargetError::TooBig { capacity, detail: String::new() });
        }
        let mut cells = Vec::with_capacity(self.forms.len());
        for (at, form) in self.forms.iter().enumerate() {
            let raw = row.try_get::<_, Option<Raw<'_>>>(at + 1).map_err(failure)?;
            let cell = raw.map_or(Ok(Value::Null), |raw| read(&form.read, raw.0));
            cells.push(cell.map_err(|problem| self.unreadable(at, problem))?);
        }
        self.bytes += cells.iter().map(Value::size_bytes).sum::<u64>();
        if self.bytes > self.caps.bytes_max {
            return Ok(Some(LimitName::QueryBytes));
        }
        self.rows.push(cells);
        Ok(None)
    }

    fn unreadable(&self, at: usize, problem: &'static str) -> TargetError {
        let column = self
            .columns
            .get(at)
            .map_or_else(String::new, |c| format!("column {} ({})", c.name, c.db_type));
        TargetError::Unreadable { column, problem }
    }
}
