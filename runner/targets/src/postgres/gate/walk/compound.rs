//! Queries without a FROM of their own: UNION and its like, and VALUES.

use std::mem::take;

use pg_query::protobuf::{List, SelectStmt, SetOperation};
use pg_query::{Node, NodeEnum};

use super::super::refusal::{Checked, What};
use super::super::scope::Scope;
use super::output::COLUMNS_MAX;
use super::{Walk, node};

impl Walk<'_> {
    /// UNION, INTERSECT or EXCEPT. Its columns are named as those of its first part; ORDER BY sees
    /// these names only.
    pub(super) fn compound(
        &mut self,
        mut select: SelectStmt,
        outer: &Scope<'_>,
    ) -> Checked<(SelectStmt, Vec<String>)> {
        let op = take(&mut select.op);
        let all = take(&mut select.all);
        let known = SetOperation::try_from(op).is_ok_and(|op| op != SetOperation::Undefined);
        let (true, Some(left), Some(right)) = (known, select.larg.take(), select.rarg.take())
        else {
            return self.malformed("UNION, INTERSECT or EXCEPT");
        };
        let (with_clause, ctes) = self.with(select.with_clause.take(), outer)?;
        let around = Scope { items: &[], ctes: &ctes, outer: Some(outer) };
        let (left, columns) = self.select(*left, &around)?;
        let (right, others) = self.select(*right, &around)?;
        self.same_width(&columns, &others)?;
        let (larg, rarg) = (Some(Box::new(left)), Some(Box::new(right)));
        let made = SelectStmt { with_clause, op, all, larg, rarg, ..SelectStmt::default() };
        let select = self.ordered(select, made, &columns, (&Scope::NOTHING, &around))?;
        Ok((select, columns))
    }

    pub(super) fn same_width(&self, left: &[String], right: &[String]) -> Checked<()> {
        if left.len() == right.len() {
            return Ok(());
        }
        let what = "UNION, INTERSECT or EXCEPT of parts with different numbers of columns";
        self.not_supported(what, "select equally many columns in each part")
    }

    /// VALUES, whose columns PostgreSQL names `column1`, `column2` …
    pub(super) fn values(
        &mut self,
        mut select: SelectStmt,
        outer: &Scope<'_>,
    ) -> Checked<(SelectStmt, Vec<String>)> {
        let op = take(&mut select.op);
        let (with_clause, ctes) = self.with(select.with_clause.take(), outer)?;
        let around = Scope { items: &[], ctes: &ctes, outer: Some(outer) };
        let mut width = None;
        let mut rows = Vec::new();
        for row in take(&mut select.values_lists) {
            let Some(NodeEnum::List(List { items })) = row.node else {
                return self.malformed("VALUES");
            };
            if items.is_empty() || width.is_some_and(|width| width != items.len()) {
                return self.not_supported("VALUES of rows of different lengths", "fill them up");
            }
            width = Some(items.len());
            rows.push(self.values_row(items, &around)?);
        }
        let columns = value_columns(width.unwrap_or_default());
        let made = SelectStmt { values_lists: rows, with_clause, op, ..SelectStmt::default() };
        let select = self.ordered(select, made, &columns, (&around, &around))?;
        Ok((select, columns))
    }

    /// ORDER BY and LIMIT, the last that such a query can have; `scopes` are theirs.
    fn ordered(
        &mut self,
        mut rest: SelectStmt,
        made: SelectStmt,
        columns: &[String],
        scopes: (&Scope<'_>, &Scope<'_>),
    ) -> Checked<SelectStmt> {
        let sort_clause = self.order_by(take(&mut rest.sort_clause), columns, scopes.0)?;
        let limit_count = self.optional(rest.limit_count.take(), scopes.1)?;
        let limit_offset = self.optional(rest.limit_offset.take(), scopes.1)?;
        let limit_option = take(&mut rest.limit_option);
        self.limit_option(limit_option)?;
        self.absent(&rest.locking_clause, "FOR UPDATE or FOR SHARE", "queries take no row locks")?;
        if rest != SelectStmt::default() {
            return self.malformed("UNION or VALUES");
        }
        Ok(SelectStmt { sort_clause, limit_count, limit_offset, limit_option, ..made })
    }

    fn values_row(&mut self, items: Vec<Node>, scope: &Scope<'_>) -> Checked<Node> {
        if items.len() > COLUMNS_MAX {
            return self.deny(What::TooLarge { of: "result columns", max: COLUMNS_MAX });
        }
        Ok(node(NodeEnum::List(List { items: self.expressions(items, scope)? })))
    }
}

/// PostgreSQL's names for the columns of VALUES.
pub(in crate::postgres::gate) fn value_columns(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("column{n}")).collect()
}
