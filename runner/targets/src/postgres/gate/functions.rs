//! The functions that queries may call: all in `pg_catalog`, computing from their arguments and
//! the transaction's start time.
//!
//! Not here, whatever its use: what is volatile; what reads catalogs, settings, files or the session;
//! what executes text (`query_to_xml`, `ts_stat`, `ts_rewrite`); what takes a type by name; XML;
//! what makes large values from small ones without saying how large (`array_fill`, `factorial`). What
//! repeats or replaces takes literals only, and the walk counts them. Aggregates that collect (`array_agg`) and regular expressions cost what the data decides:
//! the session's time and the server's own limits end them. The list is by name: every overload that
//! PostgreSQL 15 to 18 have of these names was looked at.
//!
//! [`takes_rows`]: `to_jsonb(s)` and its like turn values into json by a type's own cast to json, if
//! somebody made one for a type of a granted column.

mod list;

use list::FUNCTIONS;

/// How a function may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// With arguments only.
    Plain,
    /// Also with DISTINCT, ORDER BY, FILTER and OVER.
    Aggregate,
    /// As an aggregate, with WITHIN GROUP.
    OrderedSet,
    /// With OVER only.
    Window,
    /// In FROM; those of one column also where PostgreSQL takes sets of values.
    Set,
    /// In FROM, with a list of columns and their types.
    Record,
}

/// How the function of this name may be called; `None`: not at all.
pub(super) fn kind(name: &str) -> Option<Kind> {
    FUNCTIONS.iter().find(|(_, _, names)| names.contains(&name)).map(|(kind, _, _)| *kind)
}

/// Every name on the list.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().flat_map(|(_, _, names)| names.iter().copied())
}

/// Whether queries may call the functions of this name, for those who compare with a server.
#[must_use]
pub fn is_function(name: &str) -> bool {
    kind(name).is_some()
}

/// The columns of a function of sets in FROM, whose item is called `item`.
pub(super) fn set_columns(name: &str, item: &str) -> Vec<String> {
    let words: &[&str] = match name {
        "json_each" | "json_each_text" | "jsonb_each" | "jsonb_each_text" => &["key", "value"],
        "json_array_elements"
        | "json_array_elements_text"
        | "jsonb_array_elements"
        | "jsonb_array_elements_text" => &["value"],
        _ => &[item],
    };
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Whether an argument may be all columns of a FROM item.
pub(super) fn takes_rows(name: &str) -> bool {
    ["json_agg", "jsonb_agg", "row_to_json", "to_json", "to_jsonb"].contains(&name)
}
