//! The types that queries may cast to, all in `pg_catalog`, alone or as a one-dimensional array.
//!
//! Not here: `regclass` and its like, which read catalogs; user types, whose input functions are
//! user code; `xml` and geometry, which nobody has asked for.

const TYPES: &[&str] = &[
    "bit",
    "bool",
    "bpchar",
    "bytea",
    "cidr",
    "date",
    "datemultirange",
    "daterange",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "macaddr",
    "macaddr8",
    "money",
    "numeric",
    "nummultirange",
    "numrange",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "uuid",
    "varbit",
    "varchar",
];

/// Whether a value may be cast to the type of this name.
pub(super) fn is_allowed(name: &str) -> bool {
    TYPES.contains(&name)
}
