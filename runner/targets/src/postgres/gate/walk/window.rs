//! OVER and WINDOW, GROUP BY's sets, and rows of expressions.

use pg_query::protobuf::{
    CoercionForm, CollateClause, GroupingFunc, GroupingSet, GroupingSetKind, RowExpr, WindowDef,
};
use pg_query::{Node, NodeEnum};

use super::super::refusal::{Checked, What};
use super::super::scope::Scope;
use super::{Walk, in_catalog, node};

/// Items of one CUBE; n of them make 2ⁿ sets.
const CUBE_MAX: usize = 6;

impl Walk<'_> {
    /// The WINDOW clause.
    pub(super) fn windows(&mut self, clause: Vec<Node>, scope: &Scope<'_>) -> Checked<Vec<Node>> {
        let mut windows = Vec::new();
        for window in clause {
            let Some(NodeEnum::WindowDef(window)) = window.node else {
                return self.malformed("WINDOW");
            };
            let window = self.window(*window, scope)?;
            windows.push(node(NodeEnum::WindowDef(Box::new(window))));
        }
        Ok(windows)
    }

    /// A window, of the clause or behind OVER. Its names are those of windows, which mean nothing
    /// anywhere else.
    pub(super) fn window(&mut self, window: WindowDef, scope: &Scope<'_>) -> Checked<WindowDef> {
        let WindowDef {
            name,
            refname,
            partition_clause,
            order_clause,
            frame_options,
            start_offset,
            end_offset,
            location,
        } = window;
        self.visit(location)?;
        let partition_clause = self.expressions(partition_clause, scope)?;
        let order_clause = order_clause
            .into_iter()
            .map(|item| self.sort_by(item, &[], scope))
            .collect::<Checked<_>>()?;
        let start_offset = self.optional(start_offset, scope)?;
        let end_offset = self.optional(end_offset, scope)?;
        Ok(WindowDef {
            name,
            refname,
            partition_clause,
            order_clause,
            frame_options,
            start_offset,
            end_offset,
            location: 0,
        })
    }

    /// An item of GROUP BY: a key, or sets of them.
    pub(super) fn group_item(
        &mut self,
        item: Node,
        outputs: &[String],
        scope: &Scope<'_>,
    ) -> Checked<Node> {
        let Some(NodeEnum::GroupingSet(set)) = item.node else {
            return self.sort_key(item, outputs, scope);
        };
        let GroupingSet { kind, content, location } = set;
        self.visit(location)?;
        let known = GroupingSetKind::try_from(kind).unwrap_or_default();
        let is_empty = match known {
            GroupingSetKind::GroupingSetEmpty => true,
            GroupingSetKind::GroupingSetRollup
            | GroupingSetKind::GroupingSetCube
            | GroupingSetKind::GroupingSetSets => false,
            GroupingSetKind::GroupingSetSimple | GroupingSetKind::Undefined => {
                return self.malformed("GROUP BY");
            }
        };
        if is_empty != content.is_empty() {
            return self.malformed("GROUP BY");
        }
        if known == GroupingSetKind::GroupingSetCube && content.len() > CUBE_MAX {
            return self.deny(What::TooLarge { of: "items in CUBE", max: CUBE_MAX });
        }
        let content = content
            .into_iter()
            .map(|item| self.group_item(item, outputs, scope))
            .collect::<Checked<_>>()?;
        let set = GroupingSet { kind, content, location: 0 };
        Ok(node(NodeEnum::GroupingSet(set)))
    }

    /// GROUPING(a, b): which of them the row is grouped by.
    pub(super) fn grouping(&mut self, call: GroupingFunc, scope: &Scope<'_>) -> Checked<Node> {
        let GroupingFunc { xpr, args, refs, agglevelsup, location } = call;
        self.visit(location)?;
        if xpr.is_some() || !refs.is_empty() || agglevelsup != 0 || args.is_empty() {
            return self.malformed("GROUPING");
        }
        let args = self.expressions(args, scope)?;
        let call = GroupingFunc { args, ..GroupingFunc::default() };
        Ok(node(NodeEnum::GroupingFunc(Box::new(call))))
    }

    /// `(a, b)` or `ROW(a, b)`.
    pub(super) fn row(&mut self, row: RowExpr, scope: &Scope<'_>) -> Checked<Node> {
        let RowExpr { xpr, args, row_typeid, row_format, colnames, location } = row;
        self.visit(location)?;
        let forms =
            [CoercionForm::CoerceExplicitCall as i32, CoercionForm::CoerceImplicitCast as i32];
        let analysed = row_typeid != 0 || !colnames.is_empty();
        if xpr.is_some() || analysed || !forms.contains(&row_format) || args.is_empty() {
            return self.malformed("a row (a, b)");
        }
        let args = self.expressions(args, scope)?;
        let row = RowExpr { args, row_format, ..RowExpr::default() };
        Ok(node(NodeEnum::RowExpr(Box::new(row))))
    }

    /// COLLATE "C"; other collations are the database's own.
    pub(super) fn collate(&mut self, clause: CollateClause, scope: &Scope<'_>) -> Checked<Node> {
        let CollateClause { arg, collname, location } = clause;
        self.visit(location)?;
        let words = self.words(collname)?;
        let is_c = match words.as_slice() {
            [name] => name == "C",
            [schema, name] => schema == "pg_catalog" && name == "C",
            _ => false,
        };
        let (Some(arg), true) = (arg, is_c) else {
            let what = format!("the collation {}", words.join("."));
            return self.not_supported(what, "use COLLATE \"C\", or leave it out");
        };
        let arg = Some(Box::new(self.expression(*arg, scope)?));
        let clause = CollateClause { arg, collname: in_catalog("C"), location: 0 };
        Ok(node(NodeEnum::CollateClause(Box::new(clause))))
    }
}
