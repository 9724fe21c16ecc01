//! One SELECT, wherever it stands.

use pg_query::protobuf::{LimitOption, SelectStmt, SetOperation, SortBy, SortByDir, SortByNulls};
use pg_query::{Node, NodeEnum};

use super::super::refusal::Checked;
use super::super::scope::Scope;
use super::output::Outputs;
use super::{Walk, node};

impl Walk<'_> {
    /// A query in any place where the grammar has a statement.
    pub(super) fn query(
        &mut self,
        node: Option<Box<Node>>,
        outer: &Scope<'_>,
    ) -> Checked<(SelectStmt, Vec<String>)> {
        match node.and_then(|node| node.node) {
            Some(NodeEnum::SelectStmt(select)) => self.select(*select, outer),
            Some(other) => {
                self.look_at(&other);
                let kind = super::kind_of(&other);
                let what = format!("the statement {}", kind.trim_end_matches("Stmt"));
                self.not_supported(what, "a query is exactly one SELECT")
            }
            None => self.malformed("an empty statement"),
        }
    }

    /// Checks a SELECT; `outer` is what the place around it sees. Answers with the names of its
    /// outputs, which the new SELECT writes out, so that they are what the walk says they are.
    pub(super) fn select(
        &mut self,
        select: SelectStmt,
        outer: &Scope<'_>,
    ) -> Checked<(SelectStmt, Vec<String>)> {
        self.spend(1)?;
        if select.op != SetOperation::SetopNone as i32 {
            return self.compound(select, outer);
        }
        if !select.values_lists.is_empty() {
            return self.values(select, outer);
        }
        self.simple(select, outer)
    }

    /// A SELECT with a target list.
    fn simple(
        &mut self,
        select: SelectStmt,
        outer: &Scope<'_>,
    ) -> Checked<(SelectStmt, Vec<String>)> {
        let SelectStmt {
            distinct_clause,
            into_clause,
            target_list,
            from_clause,
            where_clause,
            group_clause,
            group_distinct,
            having_clause,
            window_clause,
            values_lists,
            sort_clause,
            limit_offset,
            limit_count,
            limit_option,
            locking_clause,
            with_clause,
            op,
            all,
            larg,
            rarg,
        } = select;
        if all || larg.is_some() || rarg.is_some() || !values_lists.is_empty() {
            return self.malformed("SELECT");
        }
        self.absent(&into_clause, "SELECT INTO", "queries only read")?;

        let (with_clause, ctes) = self.with(with_clause, outer)?;
        let around = Scope { items: &[], ctes: &ctes, outer: Some(outer) };
        let from = self.from(from_clause, &around)?;
        let scope = Scope { items: &from.items, ctes: &ctes, outer: Some(outer) };

        let Outputs { targets, columns } = self.outputs(target_list, &from.star, &scope)?;
        let distinct_clause = self.distinct(distinct_clause, &columns, &scope)?;
        let where_clause = self.optional(where_clause, &scope)?;
        let group_by = group_clause.into_iter().map(|i| self.group_item(i, &columns, &scope));
        let group_clause = group_by.collect::<Checked<_>>()?;
        let having_clause = self.optional(having_clause, &scope)?;
        let window_clause = self.windows(window_clause, &scope)?;
        let sort_clause = self.order_by(sort_clause, &columns, &scope)?;
        let limit_count = self.optional(limit_count, &scope)?;
        let limit_offset = self.optional(limit_offset, &scope)?;
        self.limit_option(limit_option)?;
        self.absent(&locking_clause, "FOR UPDATE or FOR SHARE", "queries take no row locks")?;

        let select = SelectStmt {
            distinct_clause,
            target_list: targets,
            from_clause: from.nodes,
            where_clause,
            group_clause,
            group_distinct,
            having_clause,
            window_clause,
            sort_clause,
            limit_offset,
            limit_count,
            limit_option,
            with_clause,
            op,
            ..SelectStmt::default()
        };
        Ok((select, columns))
    }

    pub(super) fn limit_option(&self, option: i32) -> Checked<()> {
        match LimitOption::try_from(option) {
            Ok(LimitOption::Default | LimitOption::Count | LimitOption::WithTies) => Ok(()),
            Ok(LimitOption::Undefined) | Err(_) => self.malformed("LIMIT"),
        }
    }

    /// Columns after a list of aliases by position.
    pub(super) fn renamed(&self, columns: Vec<String>, names: &[String]) -> Checked<Vec<String>> {
        if names.len() > columns.len() {
            return self.malformed("a list of more column aliases than columns");
        }
        let rest = columns.into_iter().skip(names.len());
        Ok(names.iter().cloned().chain(rest).collect())
    }

    /// DISTINCT (one empty node) or DISTINCT ON.
    fn distinct(
        &mut self,
        clause: Vec<Node>,
        outputs: &[String],
        scope: &Scope<'_>,
    ) -> Checked<Vec<Node>> {
        if matches!(clause.as_slice(), [Node { node: None }]) {
            return Ok(clause);
        }
        clause.into_iter().map(|node| self.sort_key(node, outputs, scope)).collect()
    }

    /// A bare name can be an output here; deeper in an expression it cannot.
    pub(super) fn sort_key(
        &mut self,
        node: Node,
        outputs: &[String],
        scope: &Scope<'_>,
    ) -> Checked<Node> {
        if let Some(NodeEnum::ColumnRef(column)) = &node.node
            && let [Node { node: Some(NodeEnum::String(name)) }] = column.fields.as_slice()
            && outputs.contains(&name.sval)
        {
            self.visit(column.location)?;
            return Ok(super::expression::column([name.sval.as_str()]));
        }
        self.expression(node, scope)
    }

    /// ORDER BY of a query.
    pub(super) fn order_by(
        &mut self,
        clause: Vec<Node>,
        outputs: &[String],
        scope: &Scope<'_>,
    ) -> Checked<Vec<Node>> {
        clause.into_iter().map(|item| self.sort_by(item, outputs, scope)).collect()
    }

    /// One item of ORDER BY, of a query or (with no `outputs`) of an aggregate.
    pub(super) fn sort_by(
        &mut self,
        item: Node,
        outputs: &[String],
        scope: &Scope<'_>,
    ) -> Checked<Node> {
        let Some(NodeEnum::SortBy(item)) = item.node else {
            return self.malformed("ORDER BY");
        };
        let SortBy { node: key, sortby_dir, sortby_nulls, use_op, location } = *item;
        self.visit(location)?;
        let direction = SortByDir::try_from(sortby_dir);
        if !use_op.is_empty() || matches!(direction, Ok(SortByDir::SortbyUsing) | Err(_)) {
            return self.not_supported("ORDER BY … USING", "use ASC or DESC");
        }
        let (Ok(_), Some(key)) = (SortByNulls::try_from(sortby_nulls), key) else {
            return self.malformed("ORDER BY");
        };
        let key = self.sort_key(*key, outputs, scope)?;
        let sort = SortBy {
            node: Some(Box::new(key)),
            sortby_dir,
            sortby_nulls,
            use_op: Vec::new(),
            location: 0,
        };
        Ok(node(NodeEnum::SortBy(Box::new(sort))))
    }
}
