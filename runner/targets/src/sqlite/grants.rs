//! Which reads and functions a statement may use: the authorizer's rules.
//!
//! SQLite's compiler asks for each of them; whatever is not named here is denied. Who asks, the
//! *accessor*, is a name that a CTE can carry; so the file is read for accessors only whose names no
//! statement can know ([`super::names`]). Not covered: `USING` and `NATURAL` (see `text`).

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::views::View;

/// SQLite's own tables that compute their rows from their arguments.
pub(super) const JSON_TABLES: &[&str] = &["json_each", "json_tree"];

/// Functions of SQLite that compute from their arguments, and its clock. Not here: anything that
/// loads, names files, tells about the library or the connection, or makes random values. Long values
/// are the engine limits' matter; `printf`, which answers NULL instead of an error then, has its form read
/// by `text`.
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
    "format",
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
    "printf",
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
    // JSON values
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
    /// The schema that the file is attached as.
    schema: String,
    /// By the table's name.
    views: BTreeMap<String, View>,
    /// Whether a query may recurse.
    recursion: bool,
    found: Found,
}

/// What there is in the file, at the moment of a statement. Lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    /// Tables, views, virtual table modules: a CTE with such a name is not taken for a CTE.
    pub(super) existing: BTreeSet<String>,
    /// Those that are views.
    pub(super) views: BTreeSet<String>,
    /// Tables that are functions of JSON, and that the file has no table of the name of.
    pub(super) json: BTreeSet<String>,
}

impl Grants {
    pub(super) fn new(schema: String, views: &[View], recursion: bool, found: Found) -> Self {
        let views = views.iter().map(|v| (v.table.clone(), v.clone())).collect();
        Self { schema, views, recursion, found }
    }

    pub(super) fn allows_table(&self, table: &str) -> bool {
        self.views.contains_key(&table.to_ascii_lowercase())
    }

    /// How many of SQLite's own tables a statement of these names can read.
    pub(super) fn json_tables(&self, names: &BTreeSet<String>) -> usize {
        self.found.json.intersection(names).count()
    }

    /// Whether one of `names` (lower case) exists and is not granted.
    pub(super) fn hides_any(&self, names: &BTreeSet<String>) -> bool {
        names.iter().any(|n| self.exists(n) && !self.allows_table(n))
    }

    /// The authorizer.
    pub(super) fn authorize(&self, asked: &AuthContext<'_>) -> Authorization {
        let allowed = match asked.action {
            AuthAction::Select => true,
            // It costs time and memory, which the time limit and the engine's limits end.
            AuthAction::Recursive => self.recursion,
            AuthAction::Function { function_name } => {
                is_plain_function(function_name) || self.masks(function_name, asked.accessor)
            }
            AuthAction::Read { table_name, column_name } => {
                let (table, column) = (table_name.to_ascii_lowercase(), lower(column_name));
                match asked.database_name {
                    Some("temp") => self.allows_view(&table, &column),
                    Some(schema) if schema == self.schema => {
                        self.allows_file(&table, &column, asked.accessor)
                    }
                    // `main` is empty, so these are SQLite's own.
                    Some("main") => self.found.json.contains(&table),
                    // A bare name where rows are used but no column: a table's or a CTE's.
                    None => {
                        let known = self.allows_table(&table) || self.found.json.contains(&table);
                        column.is_empty() && (known || !self.exists(&table))
                    }
                    Some(_) => false,
                }
            }
            _ => false,
        };
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }

    /// Our own views: whoever knows an inner one's name is ours. `column` is empty when rows are used
    /// but no column, as by `count(*)`.
    fn allows_view(&self, name: &str, column: &str) -> bool {
        let view = self.views.get(name).or_else(|| self.views.values().find(|v| v.inner == name));
        view.is_some_and(|v| column.is_empty() || v.columns.contains(column))
    }

    /// A mask is computed for the inner view that has it.
    fn masks(&self, function: &str, accessor: Option<&str>) -> bool {
        self.views.values().any(|v| accessor == Some(&*v.inner) && v.masks.contains(function))
    }

    /// The file itself: the inner view's columns for the inner view. A granted view of the file reads
    /// under its own name, which a CTE can carry: it gets what everybody sees as it is.
    fn allows_file(&self, table: &str, column: &str, accessor: Option<&str>) -> bool {
        let Some(view) = self.views.get(table) else { return false };
        let is_inner = accessor == Some(&*view.inner);
        match column {
            // Where SQLite merges our views into the statement, it asks once more for the rows alone.
            "" => is_inner || !view.is_filtered,
            _ if is_inner => view.inside.contains(column),
            _ => accessor.is_some_and(|a| self.is_view(a)) && view.raw.contains(column),
        }
    }

    /// Whether this is a granted view of the file.
    fn is_view(&self, name: &str) -> bool {
        self.found.views.contains(&lower(name)) && self.allows_table(name)
    }

    fn exists(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        // These come into being when they are named.
        let built_in = ["sqlite_", "pragma_", "json_", "jsonb_", "fts"];
        built_in.iter().any(|p| name.starts_with(p)) || self.found.existing.contains(&name)
    }
}

/// Whether everybody may call it.
fn is_plain_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|f| f.eq_ignore_ascii_case(name))
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}
