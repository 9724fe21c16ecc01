//! The types that queries may cast to, all in `pg_catalog`, alone or as a one-dimensional array.
//!
//! Not here: `regclass` and its like, which read catalogs; user types, whose input functions are
//! user code; `money`, `xml`, geometry and text search, which nobody has asked for.

const TYPES: &[&str] = &[
    "bool",
    "bpchar",
    "bytea",
    "cidr",
    "date",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int8",
    "interval",
    "json",
    "jsonb",
    "macaddr",
    "numeric",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "uuid",
    "varchar",
];

/// Whether a value may be cast to the type of this name.
pub(super) fn is_allowed(name: &str) -> bool {
    TYPES.contains(&name)
}
