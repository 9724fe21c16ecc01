//! WITH: each query sees those before it. Names are unique in the whole statement, so no WITH query shadows
//! another. One named like a relation hides it where it is in scope, as in PostgreSQL; elsewhere the
//! relation is sent with its schema, so the two cannot be confused.
//!
//! With RECURSIVE, where policy grants it, a query is known by name everywhere in its clause, but can be
//! read only behind it, and once by itself: in the second part of its own UNION. So a name never means a
//! relation here and a query there. A statement has one such clause, so none is within another. How long it goes on, nobody knows before: the session's time and
//! temporary files end it.

use std::mem::{replace, take};

use pg_query::protobuf::{CommonTableExpr, CteMaterialize, SelectStmt, SetOperation, WithClause};
use pg_query::{Node, NodeEnum};

use super::super::refusal::{Checked, What};
use super::super::scope::{Cte, Scope};
use super::{Walk, boxed, node, text};

impl Walk<'_> {
    /// A WITH clause, and what it makes visible.
    pub(super) fn with(
        &mut self,
        clause: Option<WithClause>,
        outer: &Scope<'_>,
    ) -> Checked<(Option<WithClause>, Vec<Cte>)> {
        let Some(WithClause { ctes, recursive, location }) = clause else {
            return Ok((None, Vec::new()));
        };
        self.visit(location)?;
        if recursive && !self.grant.recursion {
            return self.deny(What::Recursion);
        }
        if recursive && replace(&mut self.is_recursive, true) {
            let what = "a second WITH RECURSIVE";
            return self.not_supported(what, "put all its queries into one clause");
        }
        let mut known: Vec<Cte> =
            if recursive { ctes.iter().filter_map(named).collect() } else { Vec::new() };
        let mut nodes = Vec::new();
        for (at, cte) in ctes.into_iter().enumerate() {
            let (cte, entry) = self.cte(cte, &known, outer)?;
            nodes.push(node(NodeEnum::CommonTableExpr(Box::new(cte))));
            match known.get_mut(at) {
                Some(place) => *place = entry,
                None => known.push(entry),
            }
        }
        Ok((Some(WithClause { ctes: nodes, recursive, location: 0 }), known))
    }

    fn cte(
        &mut self,
        cte: Node,
        known: &[Cte],
        outer: &Scope<'_>,
    ) -> Checked<(CommonTableExpr, Cte)> {
        let Some(NodeEnum::CommonTableExpr(cte)) = cte.node else {
            return self.malformed("WITH");
        };
        let CommonTableExpr {
            ctename,
            aliascolnames,
            ctematerialized,
            ctequery,
            search_clause,
            cycle_clause,
            location,
            cterecursive,
            cterefcount,
            ctecolnames,
            ctecoltypes,
            ctecoltypmods,
            ctecolcollations,
        } = *cte;
        self.visit(location)?;
        self.cte_name(&ctename)?;
        self.absent(&search_clause, "SEARCH", "carry the path along as an array, and order by it")?;
        self.absent(&cycle_clause, "CYCLE", "carry the path along as an array, and look into it")?;
        let analysed = cterecursive
            || cterefcount != 0
            || ![&ctecolnames, &ctecoltypes, &ctecoltypmods, &ctecolcollations]
                .iter()
                .all(|list| list.is_empty());
        if analysed || CteMaterialize::try_from(ctematerialized).is_err() {
            return self.malformed("WITH");
        }
        let names = self.words(aliascolnames)?;
        let scope = Scope { items: &[], ctes: known, outer: Some(outer) };
        let (select, columns) = match ctequery.and_then(|query| query.node) {
            Some(NodeEnum::SelectStmt(union))
                if is_union(&union) && known.iter().any(|cte| cte.name == ctename) =>
            {
                self.recursive(*union, &ctename, &names, known, outer)?
            }
            other => self.query(other.map(|query| Box::new(node(query))), &scope)?,
        };
        let columns = self.renamed(columns, &names)?;
        let cte = CommonTableExpr {
            ctename: ctename.clone(),
            aliascolnames: names.into_iter().map(text).collect(),
            ctematerialized,
            ctequery: boxed(NodeEnum::SelectStmt(Box::new(select))),
            ..CommonTableExpr::default()
        };
        Ok((cte, Cte { name: ctename, columns, is_ready: true }))
    }

    /// A UNION whose second part may read the rows of the step before.
    fn recursive(
        &mut self,
        mut union: SelectStmt,
        name: &str,
        names: &[String],
        known: &[Cte],
        outer: &Scope<'_>,
    ) -> Checked<(SelectStmt, Vec<String>)> {
        let (op, all) = (take(&mut union.op), take(&mut union.all));
        let (Some(left), Some(right)) = (union.larg.take(), union.rarg.take()) else {
            return self.malformed("UNION");
        };
        let scope = Scope { items: &[], ctes: known, outer: Some(outer) };
        let (with_clause, inner) = self.with(union.with_clause.take(), &scope)?;
        let around = Scope { items: &[], ctes: &inner, outer: Some(&scope) };
        let (left, columns) = self.select(*left, &around)?;
        let itself = Cte {
            name: name.to_owned(),
            columns: self.renamed(columns.clone(), names)?,
            is_ready: true,
        };
        let with_itself =
            known.iter().map(|c| if c.name == name { itself.clone() } else { c.clone() });
        let with_itself: Vec<Cte> = with_itself.collect();
        let scope = Scope { items: &[], ctes: &with_itself, outer: Some(outer) };
        let around = Scope { items: &[], ctes: &inner, outer: Some(&scope) };
        let (right, others) = self.select(*right, &around)?;
        if self.ctes_named.get(name).is_some_and(|times| *times > 1) {
            let what = format!("{name} more than once in its own query");
            return self.not_supported(what, "read it once, and join it with others");
        }
        self.same_width(&columns, &others)?;
        if union != (SelectStmt { limit_option: union.limit_option, ..SelectStmt::default() }) {
            let what = "ORDER BY, LIMIT or OFFSET of a UNION in WITH RECURSIVE";
            return self.not_supported(what, "order and cut where it is read");
        }
        let limit_option = union.limit_option;
        self.limit_option(limit_option)?;
        let (larg, rarg) = (Some(Box::new(left)), Some(Box::new(right)));
        let made = SelectStmt { with_clause, op, all, larg, rarg, ..SelectStmt::default() };
        Ok((SelectStmt { limit_option, ..made }, columns))
    }

    fn cte_name(&mut self, name: &str) -> Checked<()> {
        if name.starts_with("pg_") {
            let what = format!("a WITH query named {name} like a system relation");
            return self.not_supported(what, "give it another name");
        }
        if self.ctes_named.insert(name.to_owned(), 0).is_some() {
            return self.deny(What::NameTaken { name: name.to_owned() });
        }
        Ok(())
    }
}

/// A WITH query by its name alone.
fn named(cte: &Node) -> Option<Cte> {
    match &cte.node {
        Some(NodeEnum::CommonTableExpr(cte)) => Some(Cte::named(&cte.ctename)),
        _ => None,
    }
}

fn is_union(select: &SelectStmt) -> bool {
    select.op == SetOperation::SetopUnion as i32
}
