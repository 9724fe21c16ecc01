//! One SELECT, UNION or VALUES: what it puts out, and how many rows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::functions::{self, Kind};
use super::super::walk::value_columns;
use super::chosen::{Body, Seen};
use super::from::{From, Item};
use super::{Facts, How, Output, Rows, Source, node, nodes, text, words};

/// `SETOP_NONE` in the parser's trees.
const NO_SET_OPERATION: u64 = 1;

/// The reading's memory.
#[derive(Default)]
pub(super) struct Reader {
    /// Places where a relation is named.
    pub(super) seen: Vec<Seen>,
    /// Queries of their own: the whole, sub-selects, those of WITH.
    pub(super) bodies: Vec<Body>,
    /// Columns that were looked at, in the order of the reading.
    pub(super) touched: Vec<Touch>,
    /// Relations that no condition joins with the others of their FROM.
    pub(super) apart: BTreeSet<String>,
    /// FROM items so far.
    pub(super) items: usize,
}

/// A column of a FROM item that was looked at.
pub(super) struct Touch {
    pub(super) item: usize,
    pub(super) column: String,
    pub(super) sources: BTreeSet<Source>,
}

/// A query of a WITH clause.
#[derive(Clone)]
pub(super) struct Cte {
    pub(super) name: String,
    /// `None`: it is read inside of itself.
    pub(super) body: Option<usize>,
    pub(super) read: Read,
    /// The relations that it names.
    pub(super) within: Vec<String>,
}

/// What is visible at a place: as in the walk's own scopes.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) items: &'a [Item],
    pub(super) ctes: &'a [Cte],
    pub(super) outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    pub(super) fn levels(&'a self) -> impl Iterator<Item = &'a Scope<'a>> {
        std::iter::successors(Some(self), |level| level.outer)
    }
}

/// What a query comes to.
#[derive(Clone)]
pub(super) struct Read {
    pub(super) outputs: Vec<Output>,
    /// The columns that its conditions look at.
    pub(super) looked_at: BTreeSet<Source>,
    pub(super) rows: Rows,
}

impl Reader {
    /// The whole statement.
    pub(super) fn whole(mut self, select: &Value) -> Facts {
        let body = self.body();
        let nothing = Scope { items: &[], ctes: &[], outer: None };
        let Read { outputs, looked_at: _, rows } = self.select(select, body, &nothing);
        let uses = self.uses();
        Facts { uses, apart: self.apart, outputs, rows, params: BTreeSet::new() }
    }

    /// A new query of its own.
    pub(super) fn body(&mut self) -> usize {
        self.bodies.push(Body::default());
        self.bodies.len() - 1
    }

    /// A SELECT as part of a body.
    pub(super) fn select(&mut self, select: &Value, body: usize, outer: &Scope<'_>) -> Read {
        let ctes = self.with(select, outer);
        let around = Scope { items: &[], ctes: &ctes, outer: Some(outer) };
        let op = select.get("op").and_then(Value::as_u64).unwrap_or(NO_SET_OPERATION);
        let mut read = if op != NO_SET_OPERATION {
            self.compound(select, body, &around)
        } else if select
            .get("values_lists")
            .and_then(Value::as_array)
            .is_some_and(|l| !l.is_empty())
        {
            self.values(select, &around)
        } else {
            self.simple(select, body, &around)
        };
        read.rows = limited(read.rows, select.get("limit_count"));
        read
    }

    fn with(&mut self, select: &Value, outer: &Scope<'_>) -> Vec<Cte> {
        let mut known: Vec<Cte> = Vec::new();
        let Some(clause) = select.get("with_clause") else { return known };
        let recursive = clause.get("recursive").and_then(Value::as_bool) == Some(true);
        for (_, cte) in nodes(clause, "ctes") {
            let (body, mark) = (self.body(), self.seen.len());
            let mut around = known.clone();
            around.extend(recursive.then(|| self.itself(cte, body, &known, outer)));
            let scope = Scope { items: &[], ctes: &around, outer: Some(outer) };
            let mut read = self.nested(cte.get("ctequery"), body, &scope);
            rename(&mut read.outputs, &words(cte, "aliascolnames"));
            if recursive {
                // As often as it likes, and from rows that nothing around chooses.
                read.rows = Rows::Many;
                self.bodies[body].folds = true;
            }
            let (name, within) = (text(cte, "/ctename").to_owned(), self.named_since(mark));
            known.push(Cte { name, body: Some(body), read, within });
        }
        known
    }

    /// What a query is to itself, where it may be: each of its columns can come from whatever any of them
    /// comes from. Found by reading it without itself, which nobody remembers.
    fn itself(&self, cte: &Value, body: usize, known: &[Cte], outer: &Scope<'_>) -> Cte {
        let bodies = self.bodies.iter().map(|_| Body::default()).collect();
        let mut trial = Self { bodies, items: self.items, ..Self::default() };
        let scope = Scope { items: &[], ctes: known, outer: Some(outer) };
        let mut read = trial.nested(cte.get("ctequery"), body, &scope);
        let all = read.outputs.iter().flat_map(|output| output.sources.iter().cloned());
        let all: BTreeSet<Source> = all.collect();
        for output in &mut read.outputs {
            (output.how, output.sources) = (How::Computed, all.clone());
        }
        rename(&mut read.outputs, &words(cte, "aliascolnames"));
        let read = Read { rows: Rows::Many, ..read };
        let within = trial.named_since(0);
        Cte { name: text(cte, "/ctename").to_owned(), body: None, read, within }
    }

    /// The SELECT in a node.
    pub(super) fn nested(&mut self, of: Option<&Value>, body: usize, scope: &Scope<'_>) -> Read {
        match of.and_then(node) {
            Some(("SelectStmt", select)) => self.select(select, body, scope),
            _ => Read { outputs: Vec::new(), looked_at: BTreeSet::new(), rows: Rows::Many },
        }
    }

    fn simple(&mut self, select: &Value, body: usize, around: &Scope<'_>) -> Read {
        let mut from = From::default();
        for item in select.get("from_clause").and_then(Value::as_array).into_iter().flatten() {
            self.item(item, body, &mut from, around);
        }
        let items = std::mem::take(&mut from.items);
        let scope = Scope { items: &items, ..*around };
        let mark = self.touched.len();
        self.conditions(select.get("where_clause"), None, &mut from, &scope);
        self.optional(select.get("having_clause"), &scope);
        let looked_at =
            self.sources_since(mark).into_iter().chain(from.looked_at.clone()).collect();
        let outputs = nodes(select, "target_list").map(|(_, target)| {
            let made = self.optional(target.get("val"), &scope);
            Output { name: text(target, "/name").to_owned(), ..made }
        });
        let outputs = outputs.collect();
        let rest = ["distinct_clause", "group_clause", "window_clause", "sort_clause"];
        for more in rest.into_iter().chain(["limit_offset", "limit_count"]) {
            self.optional(select.get(more), &scope);
        }
        // An aggregate of an outer query's columns only is the outer query's.
        let is_alone = around.levels().all(|level| level.items.is_empty());
        let rows = rows_of(select, &items, is_alone);
        self.bodies[body].folds |= folds(select);
        self.choose(body, &items, &from);
        Read { outputs, looked_at, rows }
    }

    fn compound(&mut self, select: &Value, body: usize, around: &Scope<'_>) -> Read {
        let none = Value::Null;
        let left = self.select(select.get("larg").unwrap_or(&none), body, around);
        let right = self.select(select.get("rarg").unwrap_or(&none), body, around);
        let both = |(mut l, r): (Output, Output)| {
            l.how = if l.how == r.how { l.how } else { How::Computed };
            l.sources.extend(r.sources);
            l
        };
        let outputs = left.outputs.into_iter().zip(right.outputs).map(both).collect();
        let looked_at = left.looked_at.into_iter().chain(right.looked_at).collect();
        for more in ["sort_clause", "limit_offset", "limit_count"] {
            self.optional(select.get(more), around);
        }
        let rows = match (left.rows, right.rows) {
            (Rows::AtMost(l), Rows::AtMost(r)) => Rows::AtMost(l.saturating_add(r)),
            _ => Rows::Many,
        };
        Read { outputs, looked_at, rows }
    }

    fn values(&mut self, select: &Value, around: &Scope<'_>) -> Read {
        let mut outputs: Vec<Output> = Vec::new();
        let mut count = 0;
        for (_, row) in nodes(select, "values_lists") {
            count += 1;
            let items = row.get("items").and_then(Value::as_array).into_iter().flatten();
            for (at, item) in items.enumerate() {
                let made = self.expression(item, around);
                match outputs.get_mut(at) {
                    Some(known) => {
                        known.how = if known.how == made.how { known.how } else { How::Computed };
                        known.sources.extend(made.sources);
                    }
                    None => outputs.push(made),
                }
            }
        }
        let names = value_columns(outputs.len());
        outputs.iter_mut().zip(names).for_each(|(output, name)| output.name = name);
        for more in ["sort_clause", "limit_offset", "limit_count"] {
            self.optional(select.get(more), around);
        }
        Read { outputs, looked_at: BTreeSet::new(), rows: Rows::AtMost(count) }
    }

    /// The relations that were named since a place of the reading.
    pub(super) fn named_since(&self, mark: usize) -> Vec<String> {
        self.seen.iter().skip(mark).map(|seen| seen.relation.clone()).collect()
    }

    /// Everything that was looked at since a place of the reading.
    pub(super) fn sources_since(&self, mark: usize) -> BTreeSet<Source> {
        self.touched.iter().skip(mark).flat_map(|t| t.sources.iter().cloned()).collect()
    }
}

/// Names by position.
pub(super) fn rename(outputs: &mut [Output], names: &[&str]) {
    for (output, name) in outputs.iter_mut().zip(names) {
        (*name).clone_into(&mut output.name);
    }
}

/// Places of a SELECT where aggregates stand.
const FOLDING: [&str; 3] = ["target_list", "having_clause", "sort_clause"];

/// Whether what a SELECT puts out is made of more rows than it puts out, so that a condition around it
/// does not choose among the rows that it looks at.
fn folds(select: &Value) -> bool {
    let kinds = [Kind::Aggregate, Kind::OrderedSet, Kind::Window];
    let is_one = |name: &str, _| functions::kind(name).is_some_and(|kind| kinds.contains(&kind));
    let set = |field: &str| select.get(field).is_some_and(|v| !v.is_null() && *v != json!([]));
    ["group_clause", "distinct_clause", "limit_count", "limit_offset"].into_iter().any(set)
        || FOLDING.iter().any(|place| calls(select.get(*place), &is_one))
}

/// How many rows a SELECT has before its LIMIT.
fn rows_of(select: &Value, items: &[Item], is_alone: bool) -> Rows {
    let is_set = |name: &str| matches!(functions::kind(name), Some(Kind::Set | Kind::Record));
    if calls(select.get("target_list"), &|name, _| is_set(name)) {
        return Rows::Many;
    }
    let folds = |name: &str, over: bool| {
        !over && matches!(functions::kind(name), Some(Kind::Aggregate | Kind::OrderedSet))
    };
    let is_grouped = nodes(select, "group_clause").next().is_some();
    if is_alone && !is_grouped && FOLDING.iter().any(|place| calls(select.get(*place), &folds)) {
        return Rows::AtMost(1);
    }
    match items {
        [] => Rows::AtMost(1),
        [only] => only.rows,
        _ => Rows::Many,
    }
}

/// Whether a function is called there that fits, with or without OVER; not in a query inside.
fn calls(value: Option<&Value>, fits: &dyn Fn(&str, bool) -> bool) -> bool {
    match value {
        Some(Value::Object(map)) => {
            if map.contains_key("SelectStmt") {
                return false;
            }
            let own = map.get("FuncCall").is_some_and(|call| {
                let over = call.get("over").is_some_and(|over| !over.is_null());
                words(call, "funcname").last().is_some_and(|name| fits(name, over))
            });
            own || map.values().any(|value| calls(Some(value), fits))
        }
        Some(Value::Array(items)) => items.iter().any(|value| calls(Some(value), fits)),
        _ => false,
    }
}

/// The same after LIMIT.
fn limited(rows: Rows, limit: Option<&Value>) -> Rows {
    let number = limit.and_then(|l| l.pointer("/node/AConst/val/Ival"));
    let number = number.map(|n| n.get("ival").and_then(Value::as_u64).unwrap_or(0));
    let param = limit.and_then(|l| l.pointer("/node/ParamRef/number")).and_then(Value::as_u64);
    match (rows, number, param.and_then(|n| u32::try_from(n).ok())) {
        (Rows::AtMost(n), Some(max), _) => Rows::AtMost(n.min(max)),
        (_, Some(max), _) => Rows::AtMost(max),
        (Rows::Many, None, Some(n)) => Rows::Param(n),
        (rows, None, _) => rows,
    }
}
