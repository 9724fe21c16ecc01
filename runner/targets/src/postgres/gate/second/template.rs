//! The sub-select of a granted relation as the second look expects it: written as text, by hand, and
//! read by the parser. The walk builds nodes and never sees this text; it is never sent.

use domain::mask::HashClass;
use serde_json::Value;

use super::super::mask::{
    EMAIL, EMAIL_BYTES_MAX, EMAIL_SHORT, Form, HIDDEN, MOMENT_MAX, MOMENT_MIN, Mask, Moment, Number,
};
use super::super::{Relation, parser};
use super::{GRANTED, shape};

/// The sub-select's tree; `params` are the query's own, behind which the keys of `classes` stand.
///
/// # Errors
/// When there is none, in words.
pub(super) fn expected(
    relation: &Relation,
    params: usize,
    classes: &[HashClass],
) -> Result<Value, String> {
    let Relation { schema, name, columns, hidden } = relation;
    let one = |column: &String| match hidden.masks.get(column) {
        Some(mask) => {
            let place = |class| classes.iter().position(|c| c == class);
            let key = mask.class().and_then(place).map_or(0, |at| params + 2 * at + 1);
            format!("{} AS {}", masked(mask, &quoted(column), key), quoted(column))
        }
        None => quoted(column),
    };
    let targets: Vec<String> = columns.iter().map(one).collect();
    let fence = if hidden.filter.is_some() { "OFFSET 0" } else { "" };
    let text = format!(
        "SELECT {} FROM {}.{} AS {GRANTED} {fence}",
        targets.join(", "),
        quoted(schema),
        quoted(name)
    );
    let tree = shape(&parser::parse(&text)?)?;
    let select = tree.pointer("/stmts/0/stmt/node/SelectStmt").cloned();
    let mut select = select.ok_or("a relation's own sub-select is no SELECT")?;
    if let Some(filter) = &hidden.filter {
        select["where_clause"] = shape(filter.node())?;
    }
    match tree.pointer("/stmts").and_then(Value::as_array).map(Vec::len) {
        Some(1) => Ok(select),
        _ => Err("a relation's own sub-select is not one statement".to_owned()),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What stands in the place of `c`; `key` is the number of the inner key's parameter.
fn masked(mask: &Mask, c: &str, key: usize) -> String {
    let text = format!("{c}::pg_catalog.text");
    let value = match mask.form() {
        Form::Null => return format!("CASE WHEN false THEN {c} END"),
        Form::Full => format!("'{HIDDEN}'::pg_catalog.text"),
        Form::Partial { keep_first, keep_last } => format!(
            "(CASE WHEN pg_catalog.char_length({text}) OPERATOR(pg_catalog.>=) {} THEN
                (pg_catalog.\"left\"({text}, {keep_first}) OPERATOR(pg_catalog.||) '{HIDDEN}')
                    OPERATOR(pg_catalog.||) pg_catalog.\"right\"({text}, {keep_last})
                ELSE '{HIDDEN}' END) COLLATE pg_catalog.\"default\"",
            2 * (keep_first + keep_last)
        ),
        Form::Email => {
            let bytes = format!("({text} COLLATE pg_catalog.\"C\")");
            let domain = format!("pg_catalog.split_part({bytes}, '@', 2)");
            format!(
                "(CASE
                    WHEN pg_catalog.octet_length({text}) OPERATOR(pg_catalog.>) {EMAIL_BYTES_MAX}
                        THEN '{HIDDEN}'
                    WHEN {bytes} OPERATOR(pg_catalog.~) '{EMAIL}'
                        THEN (pg_catalog.\"left\"({bytes}, 1) OPERATOR(pg_catalog.||) '***@')
                            OPERATOR(pg_catalog.||) {domain}
                    WHEN {bytes} OPERATOR(pg_catalog.~) '{EMAIL_SHORT}'
                        THEN '***@' OPERATOR(pg_catalog.||) {domain}
                    ELSE '{HIDDEN}' END) COLLATE pg_catalog.\"default\""
            )
        }
        Form::Hash(_) => format!(
            "pg_catalog.encode(pg_catalog.sha256(${outer} OPERATOR(pg_catalog.||)
                pg_catalog.sha256(${key} OPERATOR(pg_catalog.||)
                    pg_catalog.convert_to({text}, pg_catalog.getdatabaseencoding()))), 'hex')",
            outer = key + 1
        ),
        Form::Bucket { width, of } => bucket(c, *width, *of),
        Form::Truncate { unit, of } => truncated(c, unit.as_str(), *of),
    };
    format!("CASE WHEN {c} IS NOT NULL THEN {value} END")
}

fn bucket(c: &str, width: u64, of: Number) -> String {
    let (own, lowest) = of.bounds();
    let wide = match of {
        Number::Float4 | Number::Float8 => "float8",
        Number::Int2 | Number::Int4 | Number::Int8 | Number::Numeric => "numeric",
    };
    let (value, w) = (format!("{c}::pg_catalog.{wide}"), format!("'{width}'::pg_catalog.{wide}"));
    let down = format!(
        "(pg_catalog.floor({value} OPERATOR(pg_catalog./) {w}) OPERATOR(pg_catalog.*) {w})"
    );
    let inside = match lowest {
        Some(lowest) => format!("GREATEST({down}, '{lowest}'::pg_catalog.{wide})"),
        None if wide == "float8" => format!(
            "(CASE WHEN ({value} OPERATOR(pg_catalog.>=) '1'::pg_catalog.float8)
                    OR ({value} OPERATOR(pg_catalog.<=) '-1'::pg_catalog.float8) THEN {down}
                WHEN {value} OPERATOR(pg_catalog.<) '0'::pg_catalog.float8
                    THEN '0'::pg_catalog.float8 OPERATOR(pg_catalog.-) {w}
                ELSE '0'::pg_catalog.float8 END)"
        ),
        None => down,
    };
    format!("({inside})::pg_catalog.{own}")
}

fn truncated(c: &str, unit: &str, of: Moment) -> String {
    let own = of.name();
    let down = match of {
        Moment::Date => {
            format!("(pg_catalog.date_trunc('{unit}', {c}::pg_catalog.timestamp))::pg_catalog.date")
        }
        Moment::Timestamp => format!("pg_catalog.date_trunc('{unit}', {c})"),
        Moment::Timestamptz => format!("pg_catalog.date_trunc('{unit}', {c}, 'UTC')"),
    };
    format!(
        "CASE WHEN {c} OPERATOR(pg_catalog.<) '{MOMENT_MIN}'::pg_catalog.{own}
                THEN '-infinity'::pg_catalog.{own}
            WHEN {c} OPERATOR(pg_catalog.>=) '{MOMENT_MAX}'::pg_catalog.{own}
                THEN 'infinity'::pg_catalog.{own}
            ELSE {down} END"
    )
}
