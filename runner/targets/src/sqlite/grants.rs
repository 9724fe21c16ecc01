//! Which reads and functions a statement may use: the authorizer's rules.
//!
//! SQLite's compiler asks for each of them; whatever is not named here is denied. Not trusted: the
//! *accessor*, which a CTE can fake by its name. Not covered: `USING` and `NATURAL` (see `text`).

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::TableReads;

/// Functions of SQLite that compute from their arguments, and its clock. Not here: anything that
/// loads, names files, tells about the library or the connection, makes random values, or answers
/// NULL instead of an error when its value gets too long (`printf`). Long
/// values are the engine limits' matter.
const FUNCTIONS: &[&str] = &[
    // operators that are functions
    "like",
    "glob",
    "->",
    "->>",
    // values and text
    "abs",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "length",
    "likelihood",
    "likely",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "octet_length",
    "quote",
    "replace",
    "round",
    "rtrim",
    "sign",
    "soundex",
    "substr",
    "substring",
    "trim",
    "typeof",
    "unhex",
    "unicode",
    "unistr",
    "unistr_quote",
    "unlikely",
    "upper",
    // dates
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "julianday",
    "strftime",
    "time",
    "timediff",
    "unixepoch",
    // aggregates
    "avg",
    "count",
    "group_concat",
    "median",
    "percentile",
    "percentile_cont",
    "percentile_disc",
    "string_agg",
    "sum",
    "total",
    // windows
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
    // JSON values; not the table-valued json_each and json_tree
    "json",
    "json_array",
    "json_array_length",
    "json_error_position",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_pretty",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    // mathematics
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "ceiling",
    "cos",
    "cosh",
    "degrees",
    "exp",
    "floor",
    "ln",
    "log",
    "log10",
    "log2",
    "mod",
    "pi",
    "pow",
    "power",
    "radians",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
];

/// Granted tables and columns, and the names of all things that exist. All names lower case, as
/// SQLite compares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grants {
    tables: BTreeMap<String, BTreeSet<String>>,
    /// Tables, views, virtual table modules: a CTE with such a name is not taken for a CTE.
    existing: BTreeSet<String>,
}

impl Grants {
    pub(super) fn new(reads: &[TableReads], existing: BTreeSet<String>) -> Self {
        let columns = |r: &TableReads| r.columns.iter().map(|c| c.to_ascii_lowercase()).collect();
        let tables = reads.iter().map(|r| (r.table.to_ascii_lowercase(), columns(r))).collect();
        Self { tables, existing }
    }

    pub(super) fn allows_table(&self, table: &str) -> bool {
        self.tables.contains_key(&table.to_ascii_lowercase())
    }

    pub(super) fn allows_column(&self, table: &str, column: &str) -> bool {
        let columns = self.tables.get(&table.to_ascii_lowercase());
        columns.is_some_and(|c| c.contains(&column.to_ascii_lowercase()))
    }

    /// The first of `names` (lower case) that exists and is not granted.
    pub(super) fn hidden<'a>(&self, names: &'a BTreeSet<String>) -> Option<&'a String> {
        names.iter().find(|n| self.exists(n) && !self.allows_table(n))
    }

    /// The granted tables.
    pub(super) fn tables(&self) -> impl Iterator<Item = &String> {
        self.tables.keys()
    }

    /// The authorizer.
    pub(super) fn authorize(&self, asked: &AuthContext<'_>) -> Authorization {
        let allowed = match asked.action {
            // RECURSIVE costs time and memory only; the time limit and the engine's limits hold.
            AuthAction::Select | AuthAction::Recursive => true,
            AuthAction::Function { function_name } => {
                FUNCTIONS.iter().any(|f| f.eq_ignore_ascii_case(function_name))
            }
            AuthAction::Read { table_name, column_name } => {
                self.allows_read(asked.database_name, table_name, column_name)
            }
            _ => false,
        };
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }

    /// `column` is empty when rows are used but no column (`count(*)`); then `database` is what
    /// the text says, `None` for a bare name: a table's or a CTE's.
    fn allows_read(&self, database: Option<&str>, table: &str, column: &str) -> bool {
        match (database, column) {
            // temp holds nothing but our own views of granted columns
            (Some("main" | "temp"), "") => self.allows_table(table),
            (Some("main" | "temp"), column) => self.allows_column(table, column),
            (None, "") => self.allows_table(table) || !self.exists(table),
            (Some(_) | None, _) => false,
        }
    }

    fn exists(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        // These come into being when they are named.
        let built_in = ["sqlite_", "pragma_", "json_", "jsonb_", "fts"];
        built_in.iter().any(|p| name.starts_with(p)) || self.existing.contains(&name)
    }
}
