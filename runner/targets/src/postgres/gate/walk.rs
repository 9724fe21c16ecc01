//! The walk over the parser's tree: takes each node apart, checks every field, and builds the node
//! that is sent from what it knows.
//!
//! Every struct is destructured without `..`, so a field that a new grammar adds does not compile
//! until somebody decides about it; every kind of node that is not named is refused. Nothing is
//! edited in place: what was not looked at cannot be in the new tree.
//!
//! [`statement`] is one SELECT, [`with`] its WITH queries, [`compound`] UNION and VALUES, [`from`] relations, [`set_function`]
//! functions in FROM, [`output`] result columns, [`expression`], [`operator`] and [`call`] what is
//! computed, [`window`] windows and grouping, [`growth`] what can get large, [`cast`] types.

mod call;
mod cast;
mod compound;
mod expression;
mod from;
mod growth;
mod operator;
mod output;
mod set_function;
mod statement;
mod window;
mod with;

use std::collections::{BTreeMap, BTreeSet};

use pg_query::protobuf::{SelectStmt, String as Text};
use pg_query::{Node, NodeEnum};
use serde::Serialize;

use super::refusal::{Checked, Denial, What};
use super::scope::Scope;
use super::{Grant, NODES_MAX, Relation};

pub(super) use compound::value_columns;

/// The walk's memory: what it checks against, and what it has seen.
pub(super) struct Walk<'a> {
    grant: &'a Grant,
    params_declared: usize,
    params_used: u32,
    /// Names of all WITH queries so far, and how often each is read.
    ctes_named: BTreeMap<String, usize>,
    /// Whether there was a WITH RECURSIVE.
    is_recursive: bool,
    /// Relations of the grant that are named, by their place in it.
    relations: BTreeSet<usize>,
    /// Functions that are called.
    calls: BTreeSet<String>,
    /// Every word of a name so far, and every column that `*` stands for.
    mentioned: BTreeSet<String>,
    nodes: usize,
    /// The product of what calls can make, see [`growth`].
    grown: u64,
    /// The last offset that a node told; for those that have none.
    near: i32,
}

/// What the walk found.
pub(super) struct Walked {
    /// The new tree.
    pub(super) select: SelectStmt,
    /// Names of its outputs.
    pub(super) columns: Vec<String>,
    /// The highest parameter.
    pub(super) params: u32,
    /// Relations, each with the columns of it that could be meant.
    pub(super) reads: Vec<Relation>,
    /// Functions that are called.
    pub(super) calls: BTreeSet<String>,
    /// Whether any of them has hashed columns.
    pub(super) is_hashed: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(grant: &'a Grant, params_declared: usize) -> Self {
        Self {
            grant,
            params_declared,
            params_used: 0,
            ctes_named: BTreeMap::new(),
            is_recursive: false,
            relations: BTreeSet::new(),
            calls: BTreeSet::new(),
            mentioned: BTreeSet::new(),
            nodes: 0,
            grown: 1,
            near: -1,
        }
    }

    /// Checks a whole statement.
    pub(super) fn statement(mut self, node: Node) -> Checked<Walked> {
        let (select, columns) = self.query(Some(Box::new(node)), &Scope::NOTHING)?;
        let reads = self.reads();
        let is_hashed = reads.iter().any(Relation::is_hashed);
        let (params, calls) = (self.params_used, self.calls);
        Ok(Walked { select, columns, params, reads, calls, is_hashed })
    }

    /// Checks an expression alone; answers with the functions that it calls, too.
    pub(super) fn condition(
        mut self,
        node: Node,
        scope: &Scope<'_>,
    ) -> Checked<(Node, BTreeSet<String>)> {
        let node = self.expression(node, scope)?;
        Ok((node, self.calls))
    }

    /// What is read, as far as names tell: rather too much than too little.
    fn reads(&self) -> Vec<Relation> {
        let one = |place: &usize| {
            let mut relation = self.grant.relations.get(*place)?.clone();
            relation.columns.retain(|c| self.mentioned.contains(c));
            Some(relation)
        };
        self.relations.iter().filter_map(one).collect()
    }

    /// Remembers a place in the text and counts a node.
    fn visit(&mut self, location: i32) -> Checked<()> {
        if location >= 0 {
            self.near = location;
        }
        self.spend(1)
    }

    /// Counts nodes that the new tree gets.
    fn spend(&mut self, nodes: usize) -> Checked<()> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX {
            return self.deny(What::TooLarge { of: "nodes", max: NODES_MAX });
        }
        Ok(())
    }

    /// Refuses at the last place that was seen.
    fn deny<T>(&self, what: What) -> Checked<T> {
        Err(Denial::new(what, self.near))
    }

    fn not_supported<T>(&self, what: impl Into<String>, help: &'static str) -> Checked<T> {
        self.deny(What::NotSupported { what: what.into(), help })
    }

    /// Refuses a construct unless the tree does not have it.
    fn absent<T: Presence>(&mut self, field: &T, what: &str, help: &'static str) -> Checked<()> {
        if field.is_absent() {
            return Ok(());
        }
        self.look_at(field);
        self.not_supported(what, help)
    }

    /// Refuses a kind of node that the grammar does not have.
    fn unknown_node<T>(&mut self, node: &NodeEnum, place: &str) -> Checked<T> {
        self.look_at(node);
        let kind = kind_of(node);
        let known = WORDS.iter().find(|(name, _)| *name == kind);
        let what = known.map_or(kind.as_str(), |(_, words)| words);
        self.not_supported(format!("{what} {place}"), "write the query without it")
    }

    /// A tree that the parser does not make. Refused like anything unknown.
    fn malformed<T>(&self, what: &str) -> Checked<T> {
        self.not_supported(format!("{what} in this form"), "write it differently")
    }

    /// Refuses a name that is no column here; policy's own words where it denies one.
    fn no_column<T>(&self, name: &str, written: String) -> Checked<T> {
        let denies = |r: &&Relation| r.hidden.denied.contains(name);
        let named = self.relations.iter().filter_map(|place| self.grant.relations.get(*place));
        match named.into_iter().find(denies) {
            Some(relation) => {
                let relation = format!("{}.{}", relation.schema, relation.name);
                self.deny(What::Denied { name: written, relation })
            }
            None => self.deny(What::Column { name: written }),
        }
    }

    /// Points refusals at the first place that a part of the tree tells.
    fn look_at(&mut self, part: &impl Serialize) {
        let first = serde_json::to_value(part).ok().and_then(|json| first_location(&json));
        self.near = first.unwrap_or(self.near);
    }

    /// The words of a list of names, as in `schema.function`.
    fn words(&mut self, nodes: Vec<Node>) -> Checked<Vec<String>> {
        self.spend(nodes.len())?;
        nodes.into_iter().map(|node| self.word(node)).collect()
    }

    fn word(&mut self, node: Node) -> Checked<String> {
        match node.node {
            Some(NodeEnum::String(Text { sval })) => {
                self.mentioned.insert(sval.clone());
                Ok(sval)
            }
            Some(other) => self.unknown_node(&other, "in a name"),
            None => self.malformed("a name"),
        }
    }
}

/// What people call the kinds of nodes that they are likely to write.
const WORDS: &[(&str, &str)] = &[
    ("JsonTable", "JSON_TABLE"),
    ("RangeTableFunc", "XMLTABLE"),
    ("RangeTableSample", "TABLESAMPLE"),
    ("SetToDefault", "DEFAULT"),
    ("XmlExpr", "XML"),
];

/// Whether a field of a tree is there at all.
trait Presence: Serialize {
    fn is_absent(&self) -> bool;
}

impl<T: Serialize> Presence for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Serialize> Presence for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Presence for bool {
    fn is_absent(&self) -> bool {
        !self
    }
}

impl Presence for u32 {
    fn is_absent(&self) -> bool {
        *self == 0
    }
}

impl Presence for i32 {
    fn is_absent(&self) -> bool {
        *self == 0
    }
}

impl Presence for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// The parser's name of a kind of node: `JsonTable`.
fn kind_of(node: &NodeEnum) -> String {
    match serde_json::to_value(node) {
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn first_location(json: &serde_json::Value) -> Option<i32> {
    use serde_json::Value;
    match json {
        Value::Object(map) => {
            let own = map.get("location").and_then(Value::as_i64).filter(|at| *at >= 0);
            let inner = || map.values().filter_map(first_location).min();
            own.and_then(|at| i32::try_from(at).ok()).or_else(inner)
        }
        Value::Array(items) => items.iter().find_map(first_location),
        _ => None,
    }
}

fn node(kind: NodeEnum) -> Node {
    Node { node: Some(kind) }
}

fn boxed(kind: NodeEnum) -> Option<Box<Node>> {
    Some(Box::new(node(kind)))
}

fn text(sval: impl Into<String>) -> Node {
    node(NodeEnum::String(Text { sval: sval.into() }))
}

/// `pg_catalog.name`, for functions, types and operators.
fn in_catalog(name: impl Into<String>) -> Vec<Node> {
    vec![text("pg_catalog"), text(name)]
}
