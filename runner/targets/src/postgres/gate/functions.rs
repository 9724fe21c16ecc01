//! The functions that queries may call: all in `pg_catalog`, computing from their arguments and
//! the transaction's start time.
//!
//! Not here, whatever its use: what returns sets; what makes a value much larger than its
//! arguments (`repeat`, `lpad`, `format`, `replace`, `string_agg`, `array_agg`; measured: a
//! gigabyte of server memory in two seconds); regular expressions (`~`, `regexp_*`, `substring`),
//! whose cost the text decides; what is volatile, reads catalogs, settings, files or the session;
//! what executes text; what calls a type's casts (`to_jsonb`). The list is by name: every overload
//! that PostgreSQL 15 to 18 have of these names was looked at.

/// How a function may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// With arguments only.
    Plain,
    /// Also with DISTINCT, ORDER BY and FILTER.
    Aggregate,
    /// As an aggregate, with WITHIN GROUP.
    OrderedSet,
}

/// Groups of names with the reason for each.
const FUNCTIONS: &[(Kind, &str, &[&str])] = &[
    (
        Kind::Aggregate,
        "summaries whose state stays small",
        &[
            "avg", "bool_and", "bool_or", "count", "every", "max", "min", "stddev", "sum",
            "variance",
        ],
    ),
    (
        Kind::OrderedSet,
        "medians and percentiles; the sort spills to disk under the role's limit",
        &["mode", "percentile_cont", "percentile_disc"],
    ),
    (
        Kind::Plain,
        "text, no longer than what goes in",
        &[
            "ascii",
            "btrim",
            "char_length",
            "character_length",
            "concat",
            "concat_ws",
            "initcap",
            "left",
            "length",
            "lower",
            "ltrim",
            "octet_length",
            "position",
            "reverse",
            "right",
            "rtrim",
            "split_part",
            "starts_with",
            "strpos",
            "substr",
            "upper",
        ],
    ),
    (
        Kind::Plain,
        "digests and encodings, at most twice as long",
        &["decode", "encode", "md5", "sha256", "to_hex"],
    ),
    (
        Kind::Plain,
        "numbers of bounded size",
        &[
            "abs",
            "ceil",
            "ceiling",
            "div",
            "floor",
            "mod",
            "round",
            "sign",
            "trunc",
            "width_bucket",
        ],
    ),
    (
        Kind::Plain,
        "dates and times; `now` is the transaction's start",
        &[
            "age",
            "date",
            "date_bin",
            "date_part",
            "date_trunc",
            "extract",
            "isfinite",
            "justify_interval",
            "make_date",
            "make_interval",
            "make_timestamptz",
            "statement_timestamp",
            "timezone",
            "to_char",
            "to_timestamp",
            "now",
            "transaction_timestamp",
        ],
    ),
    (
        Kind::Plain,
        "looking into json and arrays, never building them",
        &[
            "array_length",
            "array_lower",
            "array_position",
            "array_upper",
            "cardinality",
            "json_array_length",
            "json_extract_path",
            "json_extract_path_text",
            "json_typeof",
            "jsonb_array_length",
            "jsonb_extract_path",
            "jsonb_extract_path_text",
            "jsonb_typeof",
        ],
    ),
    (Kind::Plain, "network addresses", &["family", "host", "masklen"]),
    (Kind::Plain, "what LIKE … ESCAPE becomes", &["like_escape"]),
];

/// How the function of this name may be called; `None`: not at all.
pub(super) fn kind(name: &str) -> Option<Kind> {
    FUNCTIONS.iter().find(|(_, _, names)| names.contains(&name)).map(|(kind, _, _)| *kind)
}
