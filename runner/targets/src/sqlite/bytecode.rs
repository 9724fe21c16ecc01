//! The second pass: what the compiled program opens, compared with the grants.
//!
//! Independent of the authorizer: it looks at the program, not at what the compiler asked. It sees
//! whole tables only; columns are the authorizer's and the views' matter. Not an access check alone.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::grants::Grants;
use super::open::Open;
use super::statement::failure;
use crate::TargetError;

/// The file's number among the connection's databases: behind `main`, which is empty, and `temp`.
const FILE: i64 = 2;

/// Opcodes that open something other than a granted table, or change something. `Transaction` with
/// a second operand other than 0 begins a write.
const REFUSED: &[&str] = &[
    "OpenWrite",
    "VUpdate",
    "VBegin",
    "VCreate",
    "VDestroy",
    "CreateBtree",
    "Destroy",
    "Clear",
    "ParseSchema",
    "SetCookie",
    "JournalMode",
    "Vacuum",
    "Checkpoint",
    "IncrVacuum",
    "AutoCommit",
    "Savepoint",
    "SqlExec",
    "DropTable",
    "DropIndex",
    "DropTrigger",
    "LoadAnalysis",
    "Expire",
    "Pagecount",
    "MaxPgcnt",
    "TableLock",
    "ReadCookie",
];

/// Refuses a program that opens what is not granted. `sql` was compiled under the authorizer
/// before; this compiles its `EXPLAIN` without, in the same transaction.
///
/// The tables that are functions of JSON are opened as virtual tables, of which a program tells no name:
/// there are no more of those than the statement can name of these.
pub(super) fn check(
    open: &Open,
    sql: &str,
    names: &BTreeSet<String>,
    grants: &Grants,
) -> Result<(), TargetError> {
    let mut virtual_tables = BTreeSet::new();
    let tables = root_pages(&open.conn, &open.names.schema())?;
    let mut program = open.conn.prepare(&format!("EXPLAIN {sql}")).map_err(failure)?;
    // Unbound parameters are NULL; the program does not depend on them.
    let mut rows = program.raw_query();
    while let Some(row) = rows.next().map_err(failure)? {
        let opcode: String = row.get(1).map_err(failure)?;
        let (p2, p3): (i64, i64) = (row.get(3).map_err(failure)?, row.get(4).map_err(failure)?);
        let refused = match opcode.as_str() {
            "OpenRead" | "ReopenIdx" => {
                let table = tables.get(&p2).filter(|_| p3 == FILE);
                !table.is_some_and(|t| grants.allows_table(t))
            }
            "VOpen" => {
                virtual_tables.insert(row.get::<_, String>(5).map_err(failure)?);
                virtual_tables.len() > grants.json_tables(names)
            }
            "Transaction" => p2 != 0,
            other => REFUSED.contains(&other),
        };
        if refused {
            return Err(TargetError::NotAllowed {
                reason: super::statement::NOT_GRANTED.into(),
                detail: format!("compiled program: {opcode} {p2} {p3}"),
            });
        }
    }
    Ok(())
}

/// Root page → table, for tables and their indexes in the file.
fn root_pages(conn: &Connection, schema: &str) -> Result<BTreeMap<i64, String>, TargetError> {
    let sql = format!("SELECT rootpage, tbl_name FROM {schema}.sqlite_schema WHERE rootpage > 0");
    let mut statement = conn.prepare(&sql).map_err(failure)?;
    let pair = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let rows = statement.query_map([], pair).map_err(failure)?;
    rows.collect::<Result<_, _>>().map_err(failure)
}
