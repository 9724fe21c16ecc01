//! FROM: relations, sub-selects, functions, joins.

use std::collections::BTreeSet;

use serde_json::Value;

use super::chosen::{Condition, Holds, Seen};
use super::select::{Read, Reader, Scope, rename};
use super::{How, Output, Rows, Source, node, nodes, text, words};

/// The parser's numbers for kinds of joins.
const LEFT: u64 = 2;
const FULL: u64 = 3;
const RIGHT: u64 = 4;

/// A FROM clause.
#[derive(Default)]
pub(super) struct From {
    pub(super) items: Vec<Item>,
    pub(super) conditions: Vec<Condition>,
    /// The columns that its ON and USING look at.
    pub(super) looked_at: BTreeSet<Source>,
}

/// Something in FROM with a name.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) columns: Vec<Output>,
    pub(super) holds: Holds,
    pub(super) rows: Rows,
    /// The relations that it names.
    pub(super) within: Vec<String>,
}

impl Item {
    /// The name of one of its columns: a relation's own, whatever the query calls it.
    pub(super) fn own_name(&self, column: &Output) -> String {
        let own = column.sources.first().filter(|_| matches!(self.holds, Holds::Relation(_)));
        own.map_or_else(|| column.name.clone(), |source| source.column.clone())
    }
}

impl Reader {
    /// One item of FROM; what it makes visible is added.
    pub(super) fn item(&mut self, item: &Value, body: usize, from: &mut From, around: &Scope<'_>) {
        match node(item) {
            Some(("RangeVar", cte)) => self.reference(cte, from, around),
            Some(("RangeSubselect", sub)) => match relation(sub) {
                Some((name, columns)) => self.relation(&name, columns, sub, body, from),
                None => self.sub_select(sub, from, around),
            },
            Some(("RangeFunction", function)) => self.function(function, from, around),
            Some(("JoinExpr", join)) => self.join(join, body, from, around),
            _ => {}
        }
    }

    /// The name of a query of WITH.
    fn reference(&mut self, var: &Value, from: &mut From, around: &Scope<'_>) {
        let name = text(var, "/relname");
        let found = around.levels().find_map(|l| l.ctes.iter().find(|cte| cte.name == name));
        let Some(cte) = found else { return };
        let mut columns = cte.read.outputs.clone();
        let holds = cte.body.map_or(Holds::Nothing, Holds::Body);
        let rows = cte.read.rows;
        let alias = var.get("alias").filter(|alias| !alias.is_null());
        rename(&mut columns, &alias.map(|a| words(a, "colnames")).unwrap_or_default());
        let name = alias.map_or(name, |alias| text(alias, "/aliasname"));
        self.add(name, columns, (holds, rows, cte.within.clone()), from);
    }

    fn relation(
        &mut self,
        relation: &str,
        columns: Vec<String>,
        sub: &Value,
        body: usize,
        from: &mut From,
    ) {
        let column = |name: String| Output {
            how: How::AsIs,
            sources: [Source { relation: relation.to_owned(), column: name.clone() }].into(),
            name,
        };
        let mut columns: Vec<Output> = columns.into_iter().map(column).collect();
        let alias = sub.get("alias").unwrap_or(&Value::Null);
        rename(&mut columns, &words(alias, "colnames"));
        self.seen.push(Seen::new(relation.to_owned(), body));
        let holds = Holds::Relation(self.seen.len() - 1);
        let what = (holds, Rows::Many, vec![relation.to_owned()]);
        self.add(text(sub, "/alias/aliasname"), columns, what, from);
    }

    fn sub_select(&mut self, sub: &Value, from: &mut From, around: &Scope<'_>) {
        let (mark, named, inner) = (self.touched.len(), self.seen.len(), self.body());
        let lateral = sub.get("lateral").and_then(Value::as_bool) == Some(true);
        let Read { mut outputs, looked_at: _, rows } = {
            let left: &[Item] = if lateral { &from.items } else { &[] };
            let scope = Scope { items: left, ctes: &[], outer: Some(around) };
            self.nested(sub.get("subquery"), inner, &scope)
        };
        let alias = sub.get("alias").unwrap_or(&Value::Null);
        rename(&mut outputs, &words(alias, "colnames"));
        let what = (Holds::Body(inner), rows, self.named_since(named));
        let id = self.add(text(alias, "/aliasname"), outputs, what, from);
        self.depends(id, mark, from);
    }

    /// A function's columns come from its arguments.
    fn function(&mut self, function: &Value, from: &mut From, around: &Scope<'_>) {
        let mark = self.touched.len();
        let made = {
            let scope = Scope { items: &from.items, ctes: &[], outer: Some(around) };
            self.optional(function.get("functions"), &scope)
        };
        let alias = function.get("alias").unwrap_or(&Value::Null);
        let typed = nodes(function, "coldeflist").map(|(_, column)| text(column, "/colname"));
        let names: Vec<&str> = words(alias, "colnames").into_iter().chain(typed).collect();
        let column =
            |name: &str| Output { name: name.to_owned(), how: How::Computed, ..made.clone() };
        let columns = names.into_iter().map(column).collect();
        let what = (Holds::Nothing, Rows::Many, Vec::new());
        let id = self.add(text(alias, "/aliasname"), columns, what, from);
        self.depends(id, mark, from);
    }

    fn join(&mut self, join: &Value, body: usize, from: &mut From, around: &Scope<'_>) {
        let (start, none) = (from.items.len(), Value::Null);
        self.item(join.get("larg").unwrap_or(&none), body, from, around);
        let middle = from.items.len();
        self.item(join.get("rarg").unwrap_or(&none), body, from, around);
        let ids = |items: &[Item]| items.iter().map(|i| i.id).collect::<BTreeSet<usize>>();
        let (left, right) = (ids(&from.items[start..middle]), ids(&from.items[middle..]));
        let chooses = match join.get("jointype").and_then(Value::as_u64) {
            Some(LEFT) => right.clone(),
            Some(RIGHT) => left.clone(),
            Some(FULL) => BTreeSet::new(),
            _ => left.union(&right).copied().collect(),
        };
        let mark = self.touched.len();
        for name in words(join, "using_clause") {
            let touched = from.items[start..].iter().flat_map(|item| {
                let has = item.columns.iter().filter(|c| c.name == name);
                has.map(|c| (item.id, item.own_name(c), c.sources.clone()))
            });
            let touched: Vec<_> = touched.collect();
            from.looked_at.extend(touched.iter().flat_map(|(_, _, s)| s.iter().cloned()));
            let touched = touched.into_iter().map(|(id, name, _)| (id, name)).collect();
            from.conditions.push(Condition { touched, chooses: Some(chooses.clone()) });
        }
        let sides = from.items[start..].to_vec();
        let scope = Scope { items: &sides, ctes: &[], outer: Some(around) };
        self.conditions(join.get("quals"), Some(&chooses), from, &scope);
        from.looked_at.extend(self.sources_since(mark));
    }

    fn add(
        &mut self,
        name: &str,
        columns: Vec<Output>,
        (holds, rows, within): (Holds, Rows, Vec<String>),
        from: &mut From,
    ) -> usize {
        let id = self.items;
        self.items += 1;
        from.items.push(Item { id, name: name.to_owned(), columns, holds, rows, within });
        id
    }

    /// What the item depends on of what was looked at since `mark`: its rows are chosen with that.
    fn depends(&self, id: usize, mark: usize, from: &mut From) {
        let mine = |item: usize| from.items.iter().any(|i| i.id == item && i.id != id);
        let touched = self.touched.iter().skip(mark).filter(|t| mine(t.item));
        let mut touched: Vec<(usize, String)> =
            touched.map(|t| (t.item, t.column.clone())).collect();
        if !touched.is_empty() {
            touched.push((id, String::new()));
            from.conditions.push(Condition { touched, chooses: Some([id].into()) });
        }
    }
}

/// The relation and the columns of a sub-select that the gate has put in a relation's place.
fn relation(sub: &Value) -> Option<(String, Vec<String>)> {
    let select = sub.pointer("/subquery/node/SelectStmt")?;
    let var = select.pointer("/from_clause/0/node/RangeVar")?;
    let (schema, name) = (text(var, "/schemaname"), text(var, "/relname"));
    if schema.is_empty() {
        return None;
    }
    let column = |(_, target): (&str, &Value)| {
        let own = text(target, "/name");
        let bare = || words(target.pointer("/val/node/ColumnRef")?, "fields").pop();
        if own.is_empty() { bare().map(str::to_owned) } else { Some(own.to_owned()) }
    };
    let columns = nodes(select, "target_list").filter_map(column).collect();
    Some((format!("{schema}.{name}"), columns))
}
