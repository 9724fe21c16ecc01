//! What an expression is made of.

use std::collections::BTreeSet;

use serde_json::Value;

use super::from::Item;
use super::select::{Reader, Scope, Touch};
use super::{How, Output, node, words};

/// What comes from nowhere.
fn nothing() -> Output {
    Output { name: String::new(), how: How::Computed, sources: BTreeSet::new() }
}

impl Reader {
    /// An expression, or several, that may be missing.
    pub(super) fn optional(&mut self, value: Option<&Value>, scope: &Scope<'_>) -> Output {
        value.map_or_else(nothing, |value| self.expression(value, scope))
    }

    /// Any part of a tree. Kinds of nodes that are not named are what their parts are made of.
    pub(super) fn expression(&mut self, value: &Value, scope: &Scope<'_>) -> Output {
        match node(value) {
            Some(("ColumnRef", column)) => self.column(&words(column, "fields"), scope),
            Some(("SubLink", link)) => self.sub_link(link, scope),
            Some(("TypeCast" | "CollateClause", cast)) => self.optional(cast.get("arg"), scope),
            Some(("SelectStmt", _)) => {
                let body = self.body();
                let read = self.nested(Some(value), body, scope);
                let sources = read.outputs.into_iter().flat_map(|o| o.sources);
                Output { sources: sources.chain(read.looked_at).collect(), ..nothing() }
            }
            Some(("FuncCall", call)) => {
                let is_count = words(call, "funcname").last() == Some(&"count");
                let how = if is_count { How::Counted } else { How::Computed };
                Output { how, ..self.parts(call, scope) }
            }
            Some((_, body)) => self.parts(body, scope),
            None => self.parts(value, scope),
        }
    }

    fn parts(&mut self, value: &Value, scope: &Scope<'_>) -> Output {
        let mut made = nothing();
        let mut add = |part: &Value| made.sources.extend(self.expression(part, scope).sources);
        match value {
            Value::Object(map) => map.values().for_each(&mut add),
            Value::Array(items) => items.iter().for_each(&mut add),
            _ => {}
        }
        made
    }

    /// A column, or all of an item. A bare name that is none names an output of the same query.
    fn column(&mut self, words: &[&str], scope: &Scope<'_>) -> Output {
        let (item, name) = match words {
            [name] => (None, *name),
            [item, name] => (Some(*item), *name),
            _ => return nothing(),
        };
        let first = |fits: &dyn Fn(&Item) -> bool| {
            scope.levels().find(|level| level.items.iter().any(fits))
        };
        let has = |i: &Item| i.columns.iter().any(|c| c.name == name);
        // A bare name is a column, however far out, before it is a row.
        let (level, is_row) = match item {
            Some(item) => (first(&|i| i.name == item), false),
            None => match first(&has) {
                Some(level) => (Some(level), false),
                None => (first(&|i| i.name == name), true),
            },
        };
        let Some(level) = level else { return nothing() };
        let mut made = nothing();
        let row = is_row.then_some(name);
        for found in level.items.iter().filter(|i| item.or(row).is_none_or(|n| i.name == n)) {
            for column in found.columns.iter().filter(|c| is_row || c.name == name) {
                made.how = if is_row { How::Computed } else { column.how };
                made.sources.extend(column.sources.iter().cloned());
                let (item, sources) = (found.id, column.sources.clone());
                self.touched.push(Touch { item, column: found.own_name(column), sources });
            }
        }
        made
    }

    /// A sub-select: as a value it is what it puts out; as a test also what its conditions look at.
    fn sub_link(&mut self, link: &Value, scope: &Scope<'_>) -> Output {
        const EXISTS: u64 = 1;
        const VALUE: u64 = 5;
        let tested = self.optional(link.get("testexpr"), scope);
        let inner = Scope { items: &[], ctes: &[], outer: Some(scope) };
        let body = self.body();
        let read = self.nested(link.get("subselect"), body, &inner);
        let mut outputs = read.outputs.into_iter();
        match link.get("sub_link_type").and_then(Value::as_u64) {
            Some(VALUE) => outputs.next().unwrap_or_else(nothing),
            Some(EXISTS) => Output { sources: read.looked_at, ..nothing() },
            _ => {
                let sources = outputs.flat_map(|o| o.sources).chain(read.looked_at);
                Output { sources: sources.chain(tested.sources).collect(), ..nothing() }
            }
        }
    }
}

/// The parts of a condition that must all hold.
pub(super) fn conjuncts(condition: &Value) -> Vec<&Value> {
    const AND: u64 = 1;
    match node(condition) {
        Some(("BoolExpr", all)) if all.get("boolop").and_then(Value::as_u64) == Some(AND) => {
            let args = all.get("args").and_then(Value::as_array).into_iter().flatten();
            args.flat_map(conjuncts).collect()
        }
        Some(_) => vec![condition],
        None => Vec::new(),
    }
}
