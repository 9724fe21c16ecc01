//! What people are told of a query that passed: which rows of a relation its conditions choose, what
//! each result column is made of, how many rows there can be.
//!
//! Read from the text that is sent, in which every relation is a sub-select and every output has its
//! name; nothing that the gate decides rests on it. A condition can be one that is always true, so
//! it is told which columns conditions name, never that they leave few rows. What is not known is told
//! as the larger thing: every row, many rows, computed.
//!
//! [`select`] is one SELECT, [`from`] its FROM, [`expression`] what is computed, [`chosen`] what
//! conditions come to.

mod chosen;
mod expression;
mod from;
mod select;

use std::collections::BTreeSet;

use serde_json::Value;

use super::refusal::{Refusal, What};
use super::{Gated, on_its_own_stack, parser};

/// What people are told of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Each place where it names a relation.
    pub uses: Vec<Use>,
    /// Relations that stand in one FROM with others, and no condition joins them.
    pub apart: BTreeSet<String>,
    /// Its result columns.
    pub outputs: Vec<Output>,
    /// How many rows a call can return.
    pub rows: Rows,
    /// The numbers of its parameters that it uses.
    pub params: BTreeSet<u32>,
}

/// A place where a query names a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// `schema.name`.
    pub relation: String,
    /// Which of its rows are looked at.
    pub chosen: Chosen,
}

/// Which rows of a relation a query looks at, as far as its text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// No condition is about them.
    Every,
    /// Conditions name these columns of it.
    By(BTreeSet<String>),
    /// They are joined with rows that a condition chooses, or a query around chooses among them.
    Elsewhere,
}

/// A result column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The name that the query gives it.
    pub name: String,
    /// How it comes from its sources.
    pub how: How,
    /// The columns that it comes from.
    pub sources: BTreeSet<Source>,
}

/// How a value comes from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is one of them, at most cast to another type.
    AsIs,
    /// It says how many there are.
    Counted,
    /// It is computed from them.
    Computed,
}

/// A column of a relation, as the query sees it: behind its mask, if it has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// `schema.name`.
    pub relation: String,
    /// Its name.
    pub column: String,
}

/// How many rows there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// As many as there are.
    Many,
    /// At most so many, by the text.
    AtMost(u64),
    /// As many as the parameter of this number says.
    Param(u32),
}

impl Gated {
    /// What people are told of it.
    ///
    /// # Errors
    /// [`What::Failed`]: the text that would be sent cannot be read again.
    pub fn facts(&self) -> Result<Facts, Refusal> {
        on_its_own_stack(|| {
            let failed =
                |problem: String| Refusal { what: What::Failed { problem }, position: None };
            let parsed = parser::parse(&self.sql).map_err(failed)?;
            let tree = serde_json::to_value(&parsed).map_err(|e| failed(e.to_string()))?;
            let root = tree.pointer("/stmts/0/stmt/node/SelectStmt");
            let root = root.ok_or_else(|| failed("what is sent is no SELECT".to_owned()))?;
            let mut facts = select::Reader::default().whole(root);
            params(root, &mut facts.params);
            // Behind the query's own stand the keys of its hashes.
            facts.params.retain(|n| *n <= self.params);
            Ok(facts)
        })
    }
}

/// The numbers of all parameters below.
fn params(value: &Value, found: &mut BTreeSet<u32>) {
    match value {
        Value::Object(map) => {
            let number = map.get("ParamRef").and_then(|p| p.get("number")).and_then(Value::as_u64);
            found.extend(number.and_then(|n| u32::try_from(n).ok()));
            map.values().for_each(|value| params(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| params(value, found)),
        _ => {}
    }
}

/// The nodes of a list: kind and body of each.
fn nodes<'v>(of: &'v Value, field: &str) -> impl Iterator<Item = (&'v str, &'v Value)> {
    let list = of.get(field).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(node)
}

/// Kind and body of a node.
fn node(value: &Value) -> Option<(&str, &Value)> {
    let (kind, body) = value.get("node")?.as_object()?.iter().next()?;
    Some((kind.as_str(), body))
}

/// The words of a list of names.
fn words<'v>(of: &'v Value, field: &str) -> Vec<&'v str> {
    let list = of.get(field).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|word| word.pointer("/node/String/sval")?.as_str()).collect()
}

fn text<'v>(of: &'v Value, at: &str) -> &'v str {
    of.pointer(at).and_then(Value::as_str).unwrap_or_default()
}
