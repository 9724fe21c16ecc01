//! Opening the file: settings, limits, identity, schema. No text of a script is compiled here.
//!
//! The file is never `main`: it is attached to an empty database in memory, under a name that no
//! statement can know, so nothing that a statement says can mean the file itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

use domain::Column;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::grants::{Found, Grants, JSON_TABLES};
use super::names::Names;
use super::statement::{NOT_GRANTED, failure};
use super::views::{Maker, View, ident};
use super::{Hidden, Reach, SqliteSpec, TableReads, text};
use crate::{HashKeys, TargetError};

/// Milliseconds to wait for a writer; less than people notice.
const BUSY_MS_MAX: u64 = 1_000;
/// Tables in one description.
const TABLES_MAX: usize = 1_000;

/// SQLite's words for what the authorizer denies without a name.
const NOT_AUTHORIZED: &str = "not authorized";
const NO_RECURSION: &str = "policy does not let queries of this target recurse; use joins, or ask for \
                            `recursion = true` there";

/// Engine limits: what a reviewed query needs with room to spare, far below SQLite's own.
pub(super) const LIMITS: &[(Limit, i32)] = &[
    // one value or row; also bounds single function calls, which cannot be interrupted
    (Limit::SQLITE_LIMIT_LENGTH, 4 << 20),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 64 << 10),
    (Limit::SQLITE_LIMIT_COLUMN, 500),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
    (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 32),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];
const _: () = assert!(super::SQL_BYTES_MAX == 64 << 10, "text and engine agree on the length");

/// An open target with its description.
pub(super) struct Open {
    pub(super) conn: Connection,
    pub(super) spec: SqliteSpec,
    pub(super) names: Names,
    pub(super) views: Vec<View>,
}

/// Opens, restricts and checks.
pub(super) fn open(spec: &SqliteSpec) -> Result<Open, TargetError> {
    check_spec(spec)?;
    // Whatever is attached to a read-only connection is read-only, too.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_in_memory_with_flags(flags).map_err(failure)?;
    restrict(&conn).map_err(failure)?;
    let Some(path) = spec.path.to_str() else {
        return Err(TargetError::Config { problem: "the database's path is not UTF-8".into() });
    };
    attach(conn, spec.clone(), path)
}

/// Attaches a database, an absolute path or `:memory:`, and hands it over for what is granted.
fn attach(conn: Connection, spec: SqliteSpec, path: &str) -> Result<Open, TargetError> {
    let names = Names::new(&conn, spec.reads.iter().map(|r| r.table.clone()).collect())?;
    // SQLite registers these when they are named first, which the authorizer would see as a write. Before
    // the file is there, which may have tables of such names.
    for table in JSON_TABLES {
        let touch = format!("SELECT count(*) FROM {table}('[]')");
        conn.query_row(&touch, [], |_| Ok(())).map_err(failure)?;
    }
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1).map_err(failure)?;
    // SQLite is compiled with URIs on, whatever the flags; an absolute path is never one.
    conn.execute("ATTACH ?1 AS ?2", [path, &names.schema()]).map_err(unreachable)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map_err(failure)?;
    let mut open = Open { conn, spec, names, views: Vec::new() };
    let ready = open.check_identity().and_then(|()| open.make_views());
    ready.map_err(|e| open.nameless(e))?;
    // Last, because the views are written to the temporary schema.
    open.conn.pragma_update(None, "query_only", 1).map_err(failure)?;
    Ok(open)
}

impl Open {
    /// The same over empty tables of the granted names, for what is found out without a target.
    pub(super) fn empty(reads: &[TableReads], recursion: bool) -> Result<Self, TargetError> {
        let conn = Connection::open_in_memory().map_err(failure)?;
        let spec = SqliteSpec {
            path: PathBuf::new(),
            application_id: 0,
            reads: Vec::new(),
            recursion,
            keys: HashKeys::new(),
            statement_ms_max: 0,
        };
        let mut open = attach(conn, spec, ":memory:")?;
        open.conn.pragma_update(None, "query_only", 0).map_err(failure)?;
        for table in reads {
            let columns: Vec<String> = table.columns.iter().map(|c| ident(c)).collect();
            let (name, columns) = (ident(&table.table), columns.join(", "));
            let create = format!("CREATE TABLE {}.{name} ({columns})", open.names.schema());
            open.conn.execute_batch(&create).map_err(failure)?;
        }
        restrict(&open.conn).map_err(failure)?;
        let shown = |table: &TableReads| {
            // What a value looks like, and which rows there are, does not matter without any.
            let hidden = Hidden { denied: table.hidden.denied.clone(), ..Hidden::default() };
            TableReads { hidden, ..table.clone() }
        };
        open.spec.reads = reads.iter().map(shown).collect();
        open.make_views()?;
        Ok(open)
    }

    fn make_views(&mut self) -> Result<(), TargetError> {
        for (n, reads) in self.spec.reads.iter().enumerate() {
            let all = self.columns(&reads.table)?;
            if all.is_empty() {
                return Err(TargetError::Missing { what: format!("table {}", reads.table) });
            }
            let has = |c: &&String| all.iter().any(|a| a.name.eq_ignore_ascii_case(c));
            if let Some(column) = reads.columns.iter().find(|c| !has(c)) {
                let what = format!("column {}.{column}", reads.table);
                return Err(TargetError::Missing { what });
            }
            let maker = Maker { conn: &self.conn, names: &self.names, keys: &self.spec.keys };
            self.views.push(maker.make(n, reads, &all)?);
        }
        Ok(())
    }

    /// The same error without random names.
    pub(super) fn nameless(&self, error: TargetError) -> TargetError {
        error.with_detail(|words| self.names.hide(words))
    }

    /// An error of a statement as others may see it: without random names, and with policy's words
    /// where it denies a column that the statement names.
    pub(super) fn told(&self, error: TargetError, reading: &text::Reading) -> TargetError {
        let named = |name: &str| reading.names.contains(&name.to_ascii_lowercase());
        let denied = self.spec.reads.iter().find_map(|r| {
            let column = r.hidden.denied.iter().find(|column| named(column))?;
            named(&r.table).then_some((&r.table, column))
        });
        match (self.nameless(error), denied) {
            // The authorizer said no, and it is the first that it is asked about such a query.
            (TargetError::NotAllowed { reason, detail }, _)
                if reason == NOT_GRANTED
                    && !self.spec.recursion
                    && named("recursive")
                    && detail.contains(NOT_AUTHORIZED) =>
            {
                TargetError::NotAllowed { reason: NO_RECURSION.into(), detail }
            }
            (TargetError::NotAllowed { reason, detail }, Some((table, column)))
                if reason == NOT_GRANTED =>
            {
                let reason = format!(
                    "policy denies the column {column} of {table}; no query reads it, so leave it out"
                );
                TargetError::NotAllowed { reason, detail }
            }
            (other, _) => other,
        }
    }

    /// Compares the file's identity with policy. Inside a transaction it holds for all of it.
    pub(super) fn check_identity(&self) -> Result<(), TargetError> {
        let sql = format!("PRAGMA {}.application_id", self.names.schema());
        let found: i32 = self.conn.query_row(&sql, [], |row| row.get(0)).map_err(unreachable)?;
        let expected = self.spec.application_id;
        if found == expected { Ok(()) } else { Err(identity(expected, found)) }
    }

    /// The grants against the schema of this moment; to be called in the statement's transaction.
    pub(super) fn grants(&self) -> Result<Grants, TargetError> {
        let schema = self.names.schema();
        let sql = format!(
            "SELECT name, type = 'view' FROM {schema}.sqlite_schema WHERE type IN ('table', 'view') \
             UNION ALL SELECT name, 0 FROM pragma_module_list"
        );
        let mut found = Found::default();
        let mut statement = self.conn.prepare(&sql).map_err(failure)?;
        let mut rows = statement.query([]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            let name = row.get::<_, String>(0).map_err(failure)?.to_ascii_lowercase();
            if row.get(1).map_err(failure)? {
                found.views.insert(name.clone());
            }
            found.existing.insert(name);
        }
        drop(rows);
        let shadowed =
            format!("SELECT count(*) FROM {schema}.sqlite_schema WHERE name = ?1 COLLATE NOCASE");
        let mut shadowed = self.conn.prepare(&shadowed).map_err(failure)?;
        for table in JSON_TABLES {
            if shadowed.query_row([table], |row| row.get::<_, i64>(0)).map_err(failure)? == 0 {
                found.json.insert((*table).to_owned());
            }
        }
        Ok(Grants::new(schema, &self.views, self.spec.recursion, found))
    }

    /// Columns of a table or view of the file; none if it does not exist.
    pub(super) fn columns(&self, table: &str) -> Result<Vec<Column>, TargetError> {
        // hidden: 0 ordinary, 1 of a virtual table, 2 and 3 generated
        let sql = "SELECT name, type FROM pragma_table_xinfo(?1, ?2) WHERE hidden <> 1";
        let mut statement = self.conn.prepare(sql).map_err(failure)?;
        let column =
            |row: &rusqlite::Row<'_>| Ok(Column { name: row.get(0)?, db_type: row.get(1)? });
        let rows = statement.query_map([table, &self.names.schema()], column).map_err(failure)?;
        rows.collect::<Result<_, _>>().map_err(failure)
    }

    pub(super) fn reach(&self) -> Result<Reach, TargetError> {
        let mut tables = Vec::new();
        for reads in &self.spec.reads {
            let mut columns = self.columns(&reads.table)?;
            columns.retain(|c| reads.columns.iter().any(|r| r.eq_ignore_ascii_case(&c.name)));
            tables.push((reads.table.clone(), columns));
        }
        let sql = format!(
            "SELECT count(*) FROM {}.sqlite_schema \
             WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            self.names.schema()
        );
        let all: i64 = self.conn.query_row(&sql, [], |row| row.get(0)).map_err(failure)?;
        let hidden_tables = usize::try_from(all).unwrap_or(0).saturating_sub(tables.len());
        Ok(Reach { application_id: self.spec.application_id, tables, hidden_tables })
    }
}

fn identity(expected: i32, found: i32) -> TargetError {
    let (expected, found) = (expected.to_string(), found.to_string());
    TargetError::Identity { what: "application id", expected, found }
}

/// A description that cannot mean what its author thinks is refused.
fn check_spec(spec: &SqliteSpec) -> Result<(), TargetError> {
    let wrong = |problem: String| Err(TargetError::Config { problem });
    if !spec.path.is_absolute() {
        return wrong("the database's path is not absolute".into());
    }
    if spec.reads.len() > TABLES_MAX {
        return wrong(format!("more than {TABLES_MAX} tables"));
    }
    let unique = |names: &[&String]| {
        let mut seen = BTreeSet::new();
        let fits = |n: &&String| !n.is_empty() && !n.contains('\0');
        names.iter().all(|n| fits(n) && seen.insert(n.to_ascii_lowercase()))
    };
    if !unique(&spec.reads.iter().map(|r| &r.table).collect::<Vec<_>>()) {
        return wrong("a table's name is empty or twice there".into());
    }
    for reads in &spec.reads {
        let name = reads.table.to_ascii_lowercase();
        if name.starts_with("sqlite_") || name.starts_with("pragma_") {
            return wrong(format!("{} belongs to SQLite and cannot be granted", reads.table));
        }
        if reads.columns.is_empty() || !unique(&reads.columns.iter().collect::<Vec<_>>()) {
            return wrong(format!("the columns of {} are none, empty or twice there", reads.table));
        }
        let shows = |c: &String| reads.columns.iter().any(|r| r.eq_ignore_ascii_case(c));
        let Hidden { masks, denied, .. } = &reads.hidden;
        if !unique(&masks.keys().collect::<Vec<_>>()) || !masks.keys().all(shows) {
            return wrong(format!(
                "a mask of {} is on no column of it, or two on one",
                reads.table
            ));
        }
        if let Some(column) = denied.iter().find(|c| shows(c)) {
            return wrong(format!("{}.{column} is granted and denied", reads.table));
        }
    }
    Ok(())
}

pub(super) fn restrict(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(std::time::Duration::from_millis(BUSY_MS_MAX))?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        // A misspelt "name" is an error, not a text.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
        // The program depends on the text only, so the second pass sees the one that runs.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        conn.set_db_config(setting, on)?;
    }
    // Extension loading is off unless rusqlite's feature turns it on; the authorizer denies it too.
    for (limit, value) in LIMITS {
        conn.set_limit(*limit, *value)?;
    }
    conn.pragma_update(None, "cell_size_check", 1)
}

fn unreachable(e: rusqlite::Error) -> TargetError {
    match failure(e) {
        TargetError::Database { detail } => TargetError::Unreachable {
            hint: "check that the file exists, is a SQLite database and is readable by the runner; \
                   a WAL database also needs its -shm file, or write permission on its directory",
            fault: crate::Fault::Target,
            detail,
        },
        other => other,
    }
}
