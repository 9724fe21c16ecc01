//! The result columns of a SELECT, and their names.
//!
//! Every output is written with `AS name`, and `*` is written out: the names that queries around
//! this one may use are then those in the text that is sent, whatever PostgreSQL would have called
//! them. The names are those that PostgreSQL chooses.

use pg_query::protobuf::{ColumnRef, MinMaxOp, ResTarget, SqlValueFunctionOp, SubLinkType};
use pg_query::{Node, NodeEnum};

use super::super::refusal::{Checked, What};
use super::super::scope::{Scope, Star};
use super::{Walk, expression, node};

/// PostgreSQL's name for an output that nothing names.
const UNNAMED: &str = "?column?";
/// PostgreSQL's own maximum.
pub(super) const COLUMNS_MAX: usize = 1_600;

/// The target list after the walk.
pub(super) struct Outputs {
    pub(super) targets: Vec<Node>,
    pub(super) columns: Vec<String>,
}

impl Walk<'_> {
    /// `star` is what `*` means here.
    pub(super) fn outputs(
        &mut self,
        list: Vec<Node>,
        star: &[Star],
        scope: &Scope<'_>,
    ) -> Checked<Outputs> {
        if list.is_empty() {
            return self.not_supported("a SELECT of no columns", "select at least one");
        }
        let mut outputs = Outputs { targets: Vec::new(), columns: Vec::new() };
        for target in list {
            let Some(NodeEnum::ResTarget(target)) = target.node else {
                return self.malformed("a result column");
            };
            let ResTarget { name, indirection, val, location } = *target;
            self.visit(location)?;
            let (Some(val), true) = (val, indirection.is_empty()) else {
                return self.malformed("a result column");
            };
            match star_of(&val) {
                Some(column) => self.star(column, star, scope, &mut outputs)?,
                None => {
                    let name = if name.is_empty() { name_of(&val) } else { name };
                    let val = self.expression(*val, scope)?;
                    outputs.push(name, val);
                }
            }
            if outputs.columns.len() > COLUMNS_MAX {
                return self.deny(What::TooLarge { of: "result columns", max: COLUMNS_MAX });
            }
        }
        Ok(outputs)
    }

    /// `*` or `item.*`.
    fn star(
        &mut self,
        column: &ColumnRef,
        star: &[Star],
        scope: &Scope<'_>,
        outputs: &mut Outputs,
    ) -> Checked<()> {
        let ColumnRef { fields, location } = column;
        self.visit(*location)?;
        let mut fields = fields.clone();
        fields.pop();
        let of_item: Vec<Star>;
        let columns = match self.words(fields)?.as_slice() {
            [] if star.is_empty() => {
                return self.not_supported("* without FROM", "name what to select");
            }
            [] => star,
            [name] => {
                let Some(item) = scope.item(name) else {
                    return self.deny(What::Table { name: name.clone() });
                };
                let star = |c: &String| Star { item: name.clone(), column: c.clone() };
                of_item = item.columns.iter().map(star).collect();
                &of_item
            }
            _ => return self.not_supported("schema.table.*", "write table.*"),
        };
        self.spend(columns.len())?;
        for Star { item, column } in columns {
            self.only_one(item, column, scope)?;
            self.mentioned.insert(column.clone());
            outputs.push(column.clone(), expression::column([item.as_str(), column.as_str()]));
        }
        Ok(())
    }

    /// `*` can be written out only if each column can be named.
    fn only_one(&self, item: &str, column: &str, scope: &Scope<'_>) -> Checked<()> {
        let columns = scope.item(item).map(|item| item.columns.as_slice()).unwrap_or_default();
        if columns.iter().filter(|other| *other == column).count() > 1 {
            return self.deny(What::NameTaken { name: format!("{item}.{column}") });
        }
        Ok(())
    }
}

impl Outputs {
    fn push(&mut self, name: String, val: Node) {
        self.columns.push(name.clone());
        let val = Some(Box::new(val));
        let target = ResTarget { name, indirection: Vec::new(), val, location: 0 };
        self.targets.push(node(NodeEnum::ResTarget(Box::new(target))));
    }
}

/// The column reference that ends in `*`, if it is one.
fn star_of(node: &Node) -> Option<&ColumnRef> {
    let Some(NodeEnum::ColumnRef(column)) = &node.node else { return None };
    match column.fields.last() {
        Some(Node { node: Some(NodeEnum::AStar(_)) }) => Some(column),
        _ => None,
    }
}

fn name_of(node: &Node) -> String {
    name(node).map_or_else(|| UNNAMED.to_owned(), |(name, _)| name)
}

/// PostgreSQL's name for an expression, and whether it is a name of the expression itself (the
/// name of a type or of CASE gives way to one).
fn name(node: &Node) -> Option<(String, bool)> {
    let own = |name: &str| Some((name.to_owned(), true));
    let inner = |node: &Option<Box<Node>>| node.as_deref().and_then(name);
    match node.node.as_ref()? {
        NodeEnum::ColumnRef(column) => last_word(&column.fields).map(|name| (name, true)),
        NodeEnum::FuncCall(call) => last_word(&call.funcname).map(|name| (name, true)),
        NodeEnum::AIndirection(part) => inner(&part.arg),
        NodeEnum::AExpr(e) if e.kind == pg_query::protobuf::AExprKind::AexprNullif as i32 => {
            own("nullif")
        }
        NodeEnum::TypeCast(cast) => {
            let words = cast.type_name.as_ref().map(|t| t.names.as_slice()).unwrap_or_default();
            match inner(&cast.arg) {
                Some((name, true)) => Some((name, true)),
                _ => last_word(words).map(|name| (name, false)),
            }
        }
        NodeEnum::CaseExpr(case) => match inner(&case.defresult) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case".to_owned(), false)),
        },
        NodeEnum::CoalesceExpr(_) => own("coalesce"),
        NodeEnum::MinMaxExpr(e) if e.op == MinMaxOp::IsGreatest as i32 => own("greatest"),
        NodeEnum::MinMaxExpr(_) => own("least"),
        NodeEnum::AArrayExpr(_) => own("array"),
        NodeEnum::RowExpr(_) => own("row"),
        NodeEnum::GroupingFunc(_) => own("grouping"),
        NodeEnum::CollateClause(clause) => inner(&clause.arg),
        NodeEnum::SqlvalueFunction(function) => own(clock_name(function.op)),
        NodeEnum::SubLink(link) => match SubLinkType::try_from(link.sub_link_type) {
            Ok(SubLinkType::ExistsSublink) => own("exists"),
            Ok(SubLinkType::ArraySublink) => own("array"),
            Ok(SubLinkType::ExprSublink) => first_output(link.subselect.as_deref()?),
            _ => None,
        },
        _ => None,
    }
}

fn first_output(select: &Node) -> Option<(String, bool)> {
    let Some(NodeEnum::SelectStmt(select)) = &select.node else { return None };
    let Some(NodeEnum::ResTarget(target)) = &select.target_list.first()?.node else { return None };
    if target.name.is_empty() {
        return Some((name_of(target.val.as_deref()?), true));
    }
    Some((target.name.clone(), true))
}

fn last_word(words: &[Node]) -> Option<String> {
    match words.last()?.node.as_ref()? {
        NodeEnum::String(word) => Some(word.sval.clone()),
        _ => None,
    }
}

fn clock_name(op: i32) -> &'static str {
    use SqlValueFunctionOp as Op;
    match Op::try_from(op) {
        Ok(Op::SvfopCurrentDate) => "current_date",
        Ok(Op::SvfopCurrentTime | Op::SvfopCurrentTimeN) => "current_time",
        Ok(Op::SvfopCurrentTimestamp | Op::SvfopCurrentTimestampN) => "current_timestamp",
        Ok(Op::SvfopLocaltime | Op::SvfopLocaltimeN) => "localtime",
        Ok(Op::SvfopLocaltimestamp | Op::SvfopLocaltimestampN) => "localtimestamp",
        _ => UNNAMED,
    }
}
