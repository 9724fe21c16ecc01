//! Row filters cannot fail on a row.
//!
//! A filter looks at rows that nobody may see. If it failed on one of them (`note::int`), the server's
//! error would quote it, and the failure alone would tell that it is there. So what has a column in it
//! is made of forms that have a value for every value; what has none (`now() - interval '30 days'`)
//! fails for all rows or for none, and may be anything that the walk lets pass.
//!
//! A default-deny descent over the walk's own tree. What is left: a number out of the range of the
//! float that it is compared with, and moments at the end of their type's range.

use pg_query::protobuf::{
    AConst, AExpr, AExprKind, AIndices, FuncCall, Integer, List, TypeCast, TypeName, a_const,
};
use pg_query::{Node, NodeEnum};
use serde_json::Value;

use super::super::operators::is_comparison;
use super::super::refusal::{Checked, Denial, What};

/// Functions that have a value for every value.
const FUNCTIONS: &[&str] = &[
    "array_length",
    "btrim",
    "cardinality",
    "char_length",
    "date_part",
    "extract",
    "isempty",
    "isfinite",
    "jsonb_typeof",
    "left",
    "length",
    "lower",
    "lower_inf",
    "ltrim",
    "md5",
    "num_nonnulls",
    "num_nulls",
    "octet_length",
    "right",
    "rtrim",
    "starts_with",
    "strpos",
    "upper",
    "upper_inf",
];

/// Operators that do, besides comparisons: looking into jsonb, arrays, ranges and networks. Joining is none:
/// arrays of other dimensions do not fit together.
const OPERATORS: &[&str] = &[
    "->", "->>", "#>", "#>>", "@>", "<@", "&&", "?", "?|", "?&", "<<", ">>", "&<", "&>", "-|-",
    "<<=", ">>=", "^@",
];

/// Those whose right side is a pattern: a text that is none fails.
const PATTERNS: &[&str] = &["~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*"];

const HELP: &str = "compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails \
                    tells of rows that it hides";

/// Refuses a condition that has a column in a form that can fail.
pub(super) fn check(node: &Node) -> Checked<()> {
    if !has_column(node) {
        return Ok(());
    }
    match &node.node {
        Some(NodeEnum::ColumnRef(_)) => Ok(()),
        Some(NodeEnum::BoolExpr(of)) => all(&of.args),
        Some(NodeEnum::NullTest(of)) => maybe(&of.arg),
        Some(NodeEnum::BooleanTest(of)) => maybe(&of.arg),
        Some(NodeEnum::CoalesceExpr(of)) => all(&of.args),
        Some(NodeEnum::MinMaxExpr(of)) => all(&of.args),
        Some(NodeEnum::CollateClause(of)) => maybe(&of.arg),
        Some(NodeEnum::AArrayExpr(of)) => all(&of.elements),
        Some(NodeEnum::RowExpr(of)) => all(&of.args),
        Some(NodeEnum::List(List { items })) => all(items),
        Some(NodeEnum::CaseExpr(of)) => {
            maybe(&of.arg)?;
            all(&of.args)?;
            maybe(&of.defresult)
        }
        Some(NodeEnum::CaseWhen(of)) => {
            maybe(&of.expr)?;
            maybe(&of.result)
        }
        Some(NodeEnum::AIndirection(of)) => {
            maybe(&of.arg)?;
            all(&of.indirection)
        }
        Some(NodeEnum::AIndices(index)) => {
            let AIndices { is_slice: _, lidx, uidx } = &**index;
            maybe(lidx)?;
            maybe(uidx)
        }
        Some(NodeEnum::AExpr(of)) => operation(of),
        Some(NodeEnum::FuncCall(call)) => function(call),
        Some(NodeEnum::TypeCast(cast)) => self::cast(cast),
        _ => deny("a column in this form"),
    }
}

fn all(nodes: &[Node]) -> Checked<()> {
    nodes.iter().try_for_each(check)
}

fn maybe(node: &Option<Box<Node>>) -> Checked<()> {
    node.as_deref().map_or(Ok(()), check)
}

fn operation(operation: &AExpr) -> Checked<()> {
    let AExpr { kind, name, lexpr, rexpr, .. } = operation;
    let name = last_word(name);
    let takes_any = match AExprKind::try_from(*kind).unwrap_or_default() {
        AExprKind::AexprOp | AExprKind::AexprOpAny | AExprKind::AexprOpAll => {
            if PATTERNS.contains(&name) {
                rexpr.as_deref().is_some_and(|pattern| !has_column(pattern))
            } else {
                is_comparison(name)
                    || OPERATORS.contains(&name)
                    || (name == "%" && rexpr.as_deref().is_some_and(is_not_zero))
            }
        }
        // The others are comparisons by keyword.
        AExprKind::Undefined => false,
        _ => true,
    };
    if !takes_any {
        return deny(&format!("the operator {name} on such a column"));
    }
    maybe(lexpr)?;
    maybe(rexpr)
}

fn function(call: &FuncCall) -> Checked<()> {
    let name = last_word(&call.funcname);
    let is_plain = call.agg_order.is_empty() && call.agg_filter.is_none() && call.over.is_none();
    if !FUNCTIONS.contains(&name) || !is_plain {
        return deny(&format!("the function {name} of a column"));
    }
    // A field of a moment is a word, and one that there is not fails.
    let names_field = ["date_part", "extract"].contains(&name);
    if names_field && call.args.first().is_none_or(has_column) {
        return deny(&format!("a column as the field of {name}"));
    }
    all(&call.args)
}

/// Every value has a text; no other type has a value for every one.
fn cast(cast: &TypeCast) -> Checked<()> {
    let TypeCast { arg, type_name, location: _ } = cast;
    let is_text = |of: &TypeName| {
        last_word(&of.names) == "text" && of.array_bounds.is_empty() && of.typmods.is_empty()
    };
    if !type_name.as_ref().is_some_and(is_text) {
        let names = type_name.as_ref().map(|of| of.names.as_slice()).unwrap_or_default();
        return deny(&format!("the cast of a column to {}", last_word(names)));
    }
    maybe(arg)
}

fn deny(what: &str) -> Checked<()> {
    let what = format!("{what} in a row filter");
    Err(Denial::nowhere(What::NotSupported { what, help: HELP }))
}

fn last_word(names: &[Node]) -> &str {
    match names.last().and_then(|name| name.node.as_ref()) {
        Some(NodeEnum::String(word)) => &word.sval,
        _ => "",
    }
}

/// A whole number other than 0: dividing by it leaves a rest.
fn is_not_zero(node: &Node) -> bool {
    let Some(NodeEnum::AConst(AConst { val: Some(val), .. })) = &node.node else { return false };
    matches!(val, a_const::Val::Ival(Integer { ival }) if *ival != 0)
}

fn has_column(node: &Node) -> bool {
    fn names_one(tree: &Value) -> bool {
        match tree {
            Value::Object(map) => map.contains_key("ColumnRef") || map.values().any(names_one),
            Value::Array(items) => items.iter().any(names_one),
            _ => false,
        }
    }
    // What cannot be looked at is taken for one.
    serde_json::to_value(node).map_or(true, |tree| names_one(&tree))
}
