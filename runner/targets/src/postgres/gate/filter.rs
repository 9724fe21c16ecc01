//! Row filters: policy's condition on the rows of a relation.
//!
//! It goes through the same walk as a query, over the names that it uses itself: the relation's
//! columns, whether queries may read them or not, which a session compares with the catalog when it
//! opens. No relation exists for it, and no parameter; and what it computes of a row is computed for
//! every row alike, without an error ([`total`]).

mod total;

use std::collections::BTreeSet;

use pg_query::{Node, NodeEnum};
use serde_json::Value;

use super::grant::Grant;
use super::refusal::{Checked, Denial, Refusal, What};
use super::scope::{Item, Scope};
use super::second::GRANTED;
use super::walk::Walk;
use super::{parser, tokens};

/// A condition that the walk let pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    node: Node,
    columns: BTreeSet<String>,
    calls: BTreeSet<String>,
}

/// Trees that are equal are so in every way that matters here.
impl Eq for Filter {}

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    /// What of it is refused; the place is in the condition.
    pub fn parse(condition: &str) -> Result<Self, Refusal> {
        super::on_its_own_stack(|| read(condition))
    }

    /// The columns that it names.
    #[must_use]
    pub fn columns(&self) -> &BTreeSet<String> {
        &self.columns
    }

    /// The functions that it calls.
    pub(super) fn calls(&self) -> &BTreeSet<String> {
        &self.calls
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }
}

/// The condition stands in a SELECT of nothing, on lines of its own.
fn read(condition: &str) -> Result<Filter, Refusal> {
    let text = format!("SELECT WHERE (\n{condition}\n)");
    let refuse = |denial: Denial| {
        let mut refusal = denial.at(&text);
        if let Some(position) = &mut refusal.position {
            position.line = position.line.saturating_sub(1).max(1);
        }
        refusal
    };
    tokens::check(&text).map_err(refuse)?;
    let statement = parser::parse_one(&text).map_err(refuse)?;
    let condition = only_condition(statement).map_err(refuse)?;
    let mut columns = BTreeSet::new();
    if let Ok(tree) = serde_json::to_value(&condition) {
        bare_names(&tree, &mut columns);
    }
    let item = Item {
        name: GRANTED.to_owned(),
        schema: None,
        columns: columns.iter().cloned().collect(),
        is_value: false,
    };
    let nothing = Grant::default();
    let scope = Scope { items: &[item], ctes: &[], outer: None };
    let (node, calls) = Walk::new(&nothing, 0).condition(condition, &scope).map_err(refuse)?;
    total::check(&node).map_err(refuse)?;
    Ok(Filter { node, columns, calls })
}

/// What stands behind WHERE, if there is nothing else.
fn only_condition(statement: Node) -> Checked<Node> {
    if let Some(NodeEnum::SelectStmt(mut select)) = statement.node
        && let Some(condition) = select.where_clause.take()
        && *select == super::bare()
    {
        return Ok(*condition);
    }
    let (what, help) = ("more than a condition".to_owned(), "write what follows WHERE");
    Err(Denial::nowhere(What::NotSupported { what, help }))
}

/// The names of one word in a tree: columns, if they are anything.
fn bare_names(tree: &Value, names: &mut BTreeSet<String>) {
    match tree {
        Value::Object(map) => {
            if let Some(fields) = map.get("ColumnRef").and_then(|column| column.get("fields"))
                && fields.as_array().is_some_and(|fields| fields.len() == 1)
                && let Some(Value::String(name)) = fields.pointer("/0/node/String/sval")
            {
                names.insert(name.clone());
            }
            map.values().for_each(|value| bare_names(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| bare_names(item, names)),
        _ => {}
    }
}
