//! FROM: relations, which become sub-selects of their granted columns; sub-selects; joins.
//! [`super::set_function`] has the functions.

use domain::mask::HashClass;
use pg_query::protobuf::{
    Alias, JoinExpr, JoinType, LimitOption, RangeSubselect, RangeVar, ResTarget, SelectStmt,
    SetOperation,
};
use pg_query::{Node, NodeEnum};

use super::super::build::number;
use super::super::refusal::{Checked, What};
use super::super::scope::{Item, Scope, Star};
use super::super::second::GRANTED;
use super::super::{Grant, Relation};
use super::{Walk, boxed, node, text};

/// A FROM clause after the walk.
pub(super) struct From {
    pub(super) nodes: Vec<Node>,
    pub(super) items: Vec<Item>,
    /// What `*` means.
    pub(super) star: Vec<Star>,
}

impl<'a> Walk<'a> {
    /// `around` is what the clause itself sees: WITH queries and the queries around.
    pub(super) fn from(&mut self, clause: Vec<Node>, around: &Scope<'_>) -> Checked<From> {
        let mut from = From { nodes: Vec::new(), items: Vec::new(), star: Vec::new() };
        for item in clause {
            let (node, star) = self.item_of_from(item, &mut from.items, around)?;
            from.nodes.push(node);
            from.star.extend(star);
        }
        Ok(from)
    }

    /// One item; what it makes visible is added to `items`, which holds what stands left of it.
    fn item_of_from(
        &mut self,
        item: Node,
        items: &mut Vec<Item>,
        around: &Scope<'_>,
    ) -> Checked<(Node, Vec<Star>)> {
        match item.node {
            Some(NodeEnum::RangeVar(relation)) => self.relation(relation, items, around),
            Some(NodeEnum::RangeSubselect(select)) => self.sub_select(*select, items, around),
            Some(NodeEnum::RangeFunction(function)) => self.function(function, items, around),
            Some(NodeEnum::JoinExpr(join)) => self.join(*join, items, around),
            Some(other) => self.unknown_node(&other, "in FROM"),
            None => self.malformed("FROM"),
        }
    }

    /// A name in FROM: a WITH query or a granted relation.
    fn relation(
        &mut self,
        relation: RangeVar,
        items: &mut Vec<Item>,
        around: &Scope<'_>,
    ) -> Checked<(Node, Vec<Star>)> {
        let RangeVar { catalogname, schemaname, relname, inh, relpersistence, alias, location } =
            relation;
        self.visit(location)?;
        self.absent(&catalogname, "a database in a relation's name", "write schema.table")?;
        if !inh {
            return self.not_supported("ONLY", "leave it out");
        }
        if relpersistence != "p" {
            return self.malformed("a relation's name");
        }
        let (alias, names) = self.alias(alias)?;
        if schemaname.is_empty()
            && let Some(cte) = around.cte(&relname)
        {
            if !cte.is_ready {
                let what = format!("reading {relname} in its own query, or before it,");
                let help = "put a query before those that read it; one reads itself in the second \
                            part of its UNION only";
                return self.not_supported(what, help);
            }
            *self.ctes_named.entry(relname.clone()).or_default() += 1;
            let columns = self.renamed(cte.columns.clone(), &names)?;
            let name = alias.clone().unwrap_or_else(|| relname.clone());
            let star = self.add(Item { name, schema: None, columns, is_value: false }, items)?;
            let alias = alias.map(|name| alias_node(name, names));
            let relpersistence = "p".to_owned();
            let var = RangeVar { relname, inh: true, relpersistence, alias, ..RangeVar::default() };
            return Ok((node(NodeEnum::RangeVar(var)), star));
        }
        let relation = self.granted(&schemaname, &relname)?;
        // A list of names is for what `*` means here: the granted columns, in the table's order.
        let columns = self.renamed(relation.columns.clone(), &names)?;
        self.mentioned.extend(relation.columns.iter().take(names.len()).cloned());
        self.spend(relation.columns.len() + relation.hidden.masks.len() * MASK_NODES)?;
        let schema = alias.is_none().then(|| relation.schema.clone());
        let name = alias.unwrap_or(relname);
        let star =
            self.add(Item { name: name.clone(), schema, columns, is_value: false }, items)?;
        let sub_select = RangeSubselect {
            lateral: false,
            subquery: boxed(NodeEnum::SelectStmt(Box::new(self.granted_columns(relation)))),
            alias: Some(alias_node(name, names)),
        };
        Ok((node(NodeEnum::RangeSubselect(Box::new(sub_select))), star))
    }

    fn granted(&mut self, schema: &str, name: &str) -> Checked<&'a Relation> {
        let matches = |(_, r): &(usize, &Relation)| {
            r.name == name && (schema.is_empty() || r.schema == schema)
        };
        let grant: &'a Grant = self.grant;
        let mut found = grant.relations.iter().enumerate().filter(matches);
        let written = || {
            if schema.is_empty() { name.to_owned() } else { format!("{schema}.{name}") }
        };
        match (found.next(), found.next()) {
            (Some((place, relation)), None) => {
                self.relations.insert(place);
                Ok(relation)
            }
            (None, _) => self.deny(What::Relation { name: written() }),
            (Some(_), Some(_)) => self.deny(What::AmbiguousRelation { name: written() }),
        }
    }

    /// `SELECT c1, mask(c2) AS c2 FROM schema.name AS granted [WHERE filter OFFSET 0]`.
    ///
    /// Bare names and an alias of ours: should the catalog have lost a column, its name can become
    /// neither the whole row, which the relation's own name would mean, nor a function call, which
    /// `granted.c1` would mean.
    fn granted_columns(&self, relation: &Relation) -> SelectStmt {
        let Relation { schema, name, columns, hidden } = relation;
        let classes = self.grant.classes();
        let key = |class: &HashClass| {
            let at = classes.iter().position(|c| c == class).unwrap_or(classes.len());
            i32::try_from(self.params_declared + 2 * at + 1).unwrap_or(i32::MAX)
        };
        let target = |column: &String| {
            let (name, val) = match hidden.masks.get(column) {
                Some(mask) => (column.clone(), mask.expression(column, key)),
                None => (String::new(), super::expression::column([column.as_str()])),
            };
            let val = Some(Box::new(val));
            let target = ResTarget { name, indirection: Vec::new(), val, location: 0 };
            node(NodeEnum::ResTarget(Box::new(target)))
        };
        let table = RangeVar {
            catalogname: String::new(),
            schemaname: schema.clone(),
            relname: name.clone(),
            inh: true,
            relpersistence: "p".to_owned(),
            alias: Some(alias_node(GRANTED.to_owned(), Vec::new())),
            location: 0,
        };
        let select = SelectStmt {
            target_list: columns.iter().map(target).collect(),
            from_clause: vec![node(NodeEnum::RangeVar(table))],
            limit_option: LimitOption::Default as i32,
            op: SetOperation::SetopNone as i32,
            ..SelectStmt::default()
        };
        match &hidden.filter {
            None => select,
            Some(filter) => SelectStmt {
                where_clause: Some(Box::new(filter.node().clone())),
                limit_offset: Some(Box::new(number(0))),
                limit_option: LimitOption::Count as i32,
                ..select
            },
        }
    }

    fn sub_select(
        &mut self,
        sub_select: RangeSubselect,
        items: &mut Vec<Item>,
        around: &Scope<'_>,
    ) -> Checked<(Node, Vec<Star>)> {
        let RangeSubselect { lateral, subquery, alias } = sub_select;
        let (select, columns) = {
            // LATERAL sees what stands left of it in this FROM; others only what is around.
            let left: &[Item] = if lateral { items } else { &[] };
            let scope = Scope { items: left, ctes: &[], outer: Some(around) };
            self.query(subquery, &scope)?
        };
        let (Some(name), names) = self.alias(alias)? else {
            return self.not_supported("a sub-select in FROM without a name", "add AS name");
        };
        let columns = self.renamed(columns, &names)?;
        let star =
            self.add(Item { name: name.clone(), schema: None, columns, is_value: false }, items)?;
        let sub_select = RangeSubselect {
            lateral,
            subquery: boxed(NodeEnum::SelectStmt(Box::new(select))),
            alias: Some(alias_node(name, names)),
        };
        Ok((node(NodeEnum::RangeSubselect(Box::new(sub_select))), star))
    }

    fn join(
        &mut self,
        join: JoinExpr,
        items: &mut Vec<Item>,
        around: &Scope<'_>,
    ) -> Checked<(Node, Vec<Star>)> {
        let JoinExpr {
            jointype,
            is_natural,
            larg,
            rarg,
            using_clause,
            join_using_alias,
            quals,
            alias,
            rtindex,
        } = join;
        self.spend(1)?;
        let kind = JoinType::try_from(jointype).unwrap_or_default();
        let (Some(left), Some(right), 0) = (larg, rarg, rtindex) else {
            return self.malformed("JOIN");
        };
        let start = items.len();
        let (left, left_star) = self.item_of_from(*left, items, around)?;
        let (right, right_star) = self.item_of_from(*right, items, around)?;
        let known =
            [JoinType::JoinInner, JoinType::JoinLeft, JoinType::JoinRight, JoinType::JoinFull];
        if !known.contains(&kind) {
            return self.malformed("JOIN");
        }
        // After the sides, so that the place of a refusal is inside the join.
        self.absent(&is_natural, "NATURAL JOIN", "write USING (…) or ON")?;
        self.absent(&alias, "an alias for a whole join", "give each side its own")?;
        self.absent(&join_using_alias, "an alias for USING", "give each side its own")?;
        let using = self.words(using_clause)?;
        let star = self.joined_star(kind, &using, left_star, right_star)?;
        // ON sees the two sides of this join only, besides what is around.
        let sides = Scope { items: &items[start..], ctes: &[], outer: Some(around) };
        let quals = self.optional(quals, &sides)?;
        let join = JoinExpr {
            jointype,
            is_natural: false,
            larg: Some(Box::new(left)),
            rarg: Some(Box::new(right)),
            using_clause: using.into_iter().map(text).collect(),
            join_using_alias: None,
            quals,
            alias: None,
            rtindex: 0,
        };
        Ok((node(NodeEnum::JoinExpr(Box::new(join))), star))
    }

    /// `*` of a join: the USING columns once, then the rest of the left side, then of the right.
    fn joined_star(
        &self,
        kind: JoinType,
        using: &[String],
        mut left: Vec<Star>,
        mut right: Vec<Star>,
    ) -> Checked<Vec<Star>> {
        if !using.is_empty() && kind == JoinType::JoinFull {
            return self.not_supported("FULL JOIN … USING", "write ON and COALESCE");
        }
        let mut star = Vec::new();
        for name in using {
            match (take_one(&mut left, name), take_one(&mut right, name)) {
                (Some(_), Some(right)) if kind == JoinType::JoinRight => star.push(right),
                (Some(left), Some(_)) => star.push(left),
                _ => return self.no_column(name, name.clone()),
            }
        }
        star.extend(left);
        star.extend(right);
        Ok(star)
    }

    /// Makes an item visible.
    pub(super) fn add(&mut self, item: Item, items: &mut Vec<Item>) -> Checked<Vec<Star>> {
        if items.iter().any(|other| other.name == item.name) {
            return self.deny(What::NameTaken { name: item.name });
        }
        let Item { name, schema: _, columns, is_value: _ } = &item;
        let star = columns.iter().map(|c| Star { item: name.clone(), column: c.clone() }).collect();
        items.push(item);
        Ok(star)
    }

    pub(super) fn alias(&mut self, alias: Option<Alias>) -> Checked<(Option<String>, Vec<String>)> {
        let Some(Alias { aliasname, colnames }) = alias else { return Ok((None, Vec::new())) };
        if aliasname.is_empty() {
            return self.malformed("an alias");
        }
        Ok((Some(aliasname), self.words(colnames)?))
    }
}

/// Removes the column of that name if there is exactly one.
fn take_one(star: &mut Vec<Star>, name: &str) -> Option<Star> {
    let first = star.iter().position(|column| column.column == name)?;
    if star[first + 1..].iter().any(|column| column.column == name) {
        return None;
    }
    Some(star.remove(first))
}

pub(super) fn alias_node(aliasname: String, names: Vec<String>) -> Alias {
    Alias { aliasname, colnames: names.into_iter().map(text).collect() }
}

/// Nodes that a mask counts for.
const MASK_NODES: usize = 40;
