//! One SELECT, wherever it stands.

use pg_query::protobuf::{
    CommonTableExpr, CteMaterialize, LimitOption, SelectStmt, SetOperation, SortBy, SortByDir,
    SortByNulls, WithClause,
};
use pg_query::{Node, NodeEnum};

use super::super::refusal::{Checked, What};
use super::super::scope::{Cte, Scope};
use super::output::Outputs;
use super::{Walk, boxed, node, text};

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
            Ok(LimitOption::Default | LimitOption::Count) => Ok(()),
            Ok(LimitOption::WithTies) => self.not_supported("FETCH … WITH TIES", "use LIMIT"),
            Ok(LimitOption::Undefined) | Err(_) => self.malformed("LIMIT"),
        }
    }

    /// WITH: each query sees those before it, never itself. Names are unique in the whole statement,
    /// so no WITH query shadows another. One named like a relation hides it where it is in scope, as
    /// in PostgreSQL; elsewhere the relation is sent with its schema, so the two cannot be confused.
    pub(super) fn with(
        &mut self,
        clause: Option<WithClause>,
        outer: &Scope<'_>,
    ) -> Checked<(Option<WithClause>, Vec<Cte>)> {
        let Some(WithClause { ctes, recursive, location }) = clause else {
            return Ok((None, Vec::new()));
        };
        self.visit(location)?;
        if recursive {
            return self.not_supported("WITH RECURSIVE", "its cost has no bound; use joins");
        }
        let mut known = Vec::new();
        let mut nodes = Vec::new();
        for cte in ctes {
            let scope = Scope { items: &[], ctes: &known, outer: Some(outer) };
            let (cte, entry) = self.cte(cte, &scope)?;
            nodes.push(node(NodeEnum::CommonTableExpr(Box::new(cte))));
            known.push(entry);
        }
        Ok((Some(WithClause { ctes: nodes, recursive: false, location: 0 }), known))
    }

    fn cte(&mut self, cte: Node, scope: &Scope<'_>) -> Checked<(CommonTableExpr, Cte)> {
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
        self.absent(&search_clause, "SEARCH", "use ORDER BY")?;
        self.absent(&cycle_clause, "CYCLE", "recursion is not supported")?;
        let analysed = cterecursive
            || cterefcount != 0
            || ![&ctecolnames, &ctecoltypes, &ctecoltypmods, &ctecolcollations]
                .iter()
                .all(|list| list.is_empty());
        if analysed || CteMaterialize::try_from(ctematerialized).is_err() {
            return self.malformed("WITH");
        }
        let (select, columns) = self.query(ctequery, scope)?;
        let names = self.words(aliascolnames)?;
        let columns = self.renamed(columns, &names)?;
        let cte = CommonTableExpr {
            ctename: ctename.clone(),
            aliascolnames: names.into_iter().map(text).collect(),
            ctematerialized,
            ctequery: boxed(NodeEnum::SelectStmt(Box::new(select))),
            ..CommonTableExpr::default()
        };
        Ok((cte, Cte { name: ctename, columns }))
    }

    fn cte_name(&mut self, name: &str) -> Checked<()> {
        if name.starts_with("pg_") {
            let what = format!("a WITH query named {name} like a system relation");
            return self.not_supported(what, "give it another name");
        }
        if !self.ctes_named.insert(name.to_owned()) {
            return self.deny(What::NameTaken { name: name.to_owned() });
        }
        Ok(())
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
