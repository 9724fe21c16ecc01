//! Expressions: the closed list of their kinds.

use pg_query::protobuf::{
    AArrayExpr, AConst, AIndices, AIndirection, BoolExpr, BoolExprType, BoolTestType, BooleanTest,
    CaseExpr, CaseWhen, CoalesceExpr, ColumnRef, Float, MinMaxExpr, MinMaxOp, NullTest,
    NullTestType, ParamRef, ResTarget, SetOperation, SqlValueFunction, SqlValueFunctionOp, SubLink,
    SubLinkType, a_const,
};
use pg_query::{Node, NodeEnum};

use super::super::build::number;
use super::super::operators;
use super::super::refusal::{Checked, What};
use super::super::scope::{Item, Scope};
use super::{Walk, boxed, in_catalog, node, text};

impl Walk<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self, expression: Node, scope: &Scope<'_>) -> Checked<Node> {
        self.spend(1)?;
        let Some(expression) = expression.node else { return self.malformed("an expression") };
        match expression {
            NodeEnum::AConst(constant) => self.constant(constant),
            NodeEnum::ParamRef(parameter) => self.parameter(&parameter),
            NodeEnum::ColumnRef(column) => self.column(column, scope),
            NodeEnum::AExpr(operation) => self.operation(*operation, scope),
            NodeEnum::BoolExpr(operation) => self.boolean(*operation, scope),
            NodeEnum::NullTest(test) => self.null_test(*test, scope),
            NodeEnum::BooleanTest(test) => self.boolean_test(*test, scope),
            NodeEnum::CaseExpr(case) => self.case(*case, scope),
            NodeEnum::CoalesceExpr(coalesce) => self.coalesce(*coalesce, scope),
            NodeEnum::MinMaxExpr(extreme) => self.extreme(*extreme, scope),
            NodeEnum::SqlvalueFunction(function) => self.clock(*function),
            NodeEnum::TypeCast(cast) => self.cast(*cast, scope),
            NodeEnum::FuncCall(call) => self.call(*call, scope),
            NodeEnum::SubLink(link) => self.sub_link(*link, scope),
            NodeEnum::AArrayExpr(array) => self.array(array, scope),
            NodeEnum::RowExpr(row) => self.row(*row, scope),
            NodeEnum::GroupingFunc(call) => self.grouping(*call, scope),
            NodeEnum::CollateClause(clause) => self.collate(*clause, scope),
            NodeEnum::AIndirection(part) => self.part(*part, scope),
            other => self.unknown_node(&other, "in an expression"),
        }
    }

    /// An expression that may be missing.
    pub(super) fn optional(
        &mut self,
        expression: Option<Box<Node>>,
        scope: &Scope<'_>,
    ) -> Checked<Option<Box<Node>>> {
        expression.map(|e| self.expression(*e, scope).map(Box::new)).transpose()
    }

    /// Several expressions.
    pub(super) fn expressions(
        &mut self,
        expressions: Vec<Node>,
        scope: &Scope<'_>,
    ) -> Checked<Vec<Node>> {
        expressions.into_iter().map(|e| self.expression(e, scope)).collect()
    }

    fn constant(&mut self, constant: AConst) -> Checked<Node> {
        let AConst { isnull, location, val } = constant;
        self.visit(location)?;
        match &val {
            None if isnull => {}
            Some(
                a_const::Val::Ival(_)
                | a_const::Val::Boolval(_)
                | a_const::Val::Sval(_)
                | a_const::Val::Bsval(_),
            ) if !isnull => {}
            // `0x1F` and `1_000` mean something else to PostgreSQL 15.
            Some(a_const::Val::Fval(Float { fval })) if !isnull && is_decimal(fval) => {}
            _ => {
                return self
                    .not_supported("a constant of this form", "write it as text and cast it");
            }
        }
        Ok(node(NodeEnum::AConst(AConst { isnull, location: 0, val })))
    }

    fn parameter(&mut self, parameter: &ParamRef) -> Checked<Node> {
        let ParamRef { number, location } = *parameter;
        self.visit(location)?;
        let count = self.params_declared;
        match u32::try_from(number) {
            Ok(n) if n >= 1 && usize::try_from(n).is_ok_and(|n| n <= count) => {
                self.params_used = self.params_used.max(n);
                Ok(node(NodeEnum::ParamRef(ParamRef { number, location: 0 })))
            }
            _ => self.deny(What::Parameter { number, count }),
        }
    }

    /// `column` or `item.column`; nothing that PostgreSQL could take for a whole row, a system
    /// column or a function call.
    fn column(&mut self, reference: ColumnRef, scope: &Scope<'_>) -> Checked<Node> {
        let ColumnRef { fields, location } = reference;
        self.visit(location)?;
        if fields.iter().any(|field| matches!(field.node, Some(NodeEnum::AStar(_)))) {
            return self.not_supported("* here", "name the columns");
        }
        match self.words(fields)?.as_slice() {
            [name] if scope.has_column(name) => Ok(column([name.as_str()])),
            [name] => match scope.item(name) {
                Some(item) if item.is_value => {
                    Ok(column([name.as_str(), item.columns[0].as_str()]))
                }
                _ => self.no_column(name, name.clone()),
            },
            [item, name] => self.column_of(scope.item(item), item, name),
            // As programs write it. PostgreSQL takes it for a column of that very relation, too.
            [schema, item, name] => {
                let of_schema = |found: &&Item| found.schema.as_ref() == Some(schema);
                let found = scope.item(item).filter(of_schema);
                self.column_of(found, item, name)
            }
            _ => self.not_supported("a column of another database", "write table.column"),
        }
    }

    fn column_of(&self, item: Option<&Item>, written: &str, name: &str) -> Checked<Node> {
        match item {
            None => self.deny(What::Table { name: written.to_owned() }),
            Some(item) if item.columns.iter().any(|column| column == name) => {
                Ok(column([written, name]))
            }
            Some(_) => self.no_column(name, format!("{written}.{name}")),
        }
    }

    fn boolean(&mut self, operation: BoolExpr, scope: &Scope<'_>) -> Checked<Node> {
        let BoolExpr { xpr, boolop, args, location } = operation;
        self.visit(location)?;
        let fits = match BoolExprType::try_from(boolop) {
            Ok(BoolExprType::NotExpr) => args.len() == 1,
            Ok(BoolExprType::AndExpr | BoolExprType::OrExpr) => args.len() >= 2,
            Ok(BoolExprType::Undefined) | Err(_) => false,
        };
        if xpr.is_some() || !fits {
            return self.malformed("AND, OR or NOT");
        }
        let args = self.expressions(args, scope)?;
        let operation = BoolExpr { xpr: None, boolop, args, location: 0 };
        Ok(node(NodeEnum::BoolExpr(Box::new(operation))))
    }

    fn null_test(&mut self, test: NullTest, scope: &Scope<'_>) -> Checked<Node> {
        let NullTest { xpr, arg, nulltesttype, argisrow, location } = test;
        self.visit(location)?;
        let known = NullTestType::try_from(nulltesttype).unwrap_or_default();
        if xpr.is_some() || argisrow || arg.is_none() || known == NullTestType::Undefined {
            return self.malformed("IS NULL");
        }
        let arg = self.optional(arg, scope)?;
        let test = NullTest { xpr: None, arg, nulltesttype, argisrow: false, location: 0 };
        Ok(node(NodeEnum::NullTest(Box::new(test))))
    }

    fn boolean_test(&mut self, test: BooleanTest, scope: &Scope<'_>) -> Checked<Node> {
        let BooleanTest { xpr, arg, booltesttype, location } = test;
        self.visit(location)?;
        let known = BoolTestType::try_from(booltesttype).unwrap_or_default();
        if xpr.is_some() || arg.is_none() || known == BoolTestType::Undefined {
            return self.malformed("IS TRUE");
        }
        let arg = self.optional(arg, scope)?;
        let test = BooleanTest { xpr: None, arg, booltesttype, location: 0 };
        Ok(node(NodeEnum::BooleanTest(Box::new(test))))
    }

    fn case(&mut self, case: CaseExpr, scope: &Scope<'_>) -> Checked<Node> {
        let CaseExpr { xpr, casetype, casecollid, arg, args, defresult, location } = case;
        self.visit(location)?;
        if xpr.is_some() || casetype != 0 || casecollid != 0 || args.is_empty() {
            return self.malformed("CASE");
        }
        let arg = self.optional(arg, scope)?;
        let args = args.into_iter().map(|w| self.case_when(w, scope)).collect::<Checked<_>>()?;
        let defresult = self.optional(defresult, scope)?;
        let case = CaseExpr { arg, args, defresult, ..CaseExpr::default() };
        Ok(node(NodeEnum::CaseExpr(Box::new(case))))
    }

    fn case_when(&mut self, when: Node, scope: &Scope<'_>) -> Checked<Node> {
        let Some(NodeEnum::CaseWhen(when)) = when.node else { return self.malformed("WHEN") };
        let CaseWhen { xpr, expr, result, location } = *when;
        self.visit(location)?;
        if xpr.is_some() || expr.is_none() || result.is_none() {
            return self.malformed("WHEN");
        }
        let expr = self.optional(expr, scope)?;
        let result = self.optional(result, scope)?;
        let when = CaseWhen { xpr: None, expr, result, location: 0 };
        Ok(node(NodeEnum::CaseWhen(Box::new(when))))
    }

    fn coalesce(&mut self, coalesce: CoalesceExpr, scope: &Scope<'_>) -> Checked<Node> {
        let CoalesceExpr { xpr, coalescetype, coalescecollid, args, location } = coalesce;
        self.visit(location)?;
        if xpr.is_some() || coalescetype != 0 || coalescecollid != 0 || args.is_empty() {
            return self.malformed("COALESCE");
        }
        let args = self.expressions(args, scope)?;
        let coalesce = CoalesceExpr { args, ..CoalesceExpr::default() };
        Ok(node(NodeEnum::CoalesceExpr(Box::new(coalesce))))
    }

    /// GREATEST and LEAST.
    fn extreme(&mut self, extreme: MinMaxExpr, scope: &Scope<'_>) -> Checked<Node> {
        let MinMaxExpr { xpr, minmaxtype, minmaxcollid, inputcollid, op, args, location } = extreme;
        self.visit(location)?;
        let analysed = minmaxtype != 0 || minmaxcollid != 0 || inputcollid != 0;
        let known = MinMaxOp::try_from(op).unwrap_or_default();
        if xpr.is_some() || analysed || args.is_empty() || known == MinMaxOp::Undefined {
            return self.malformed("GREATEST or LEAST");
        }
        let args = self.expressions(args, scope)?;
        let extreme = MinMaxExpr { op, args, ..MinMaxExpr::default() };
        Ok(node(NodeEnum::MinMaxExpr(Box::new(extreme))))
    }

    /// CURRENT_DATE and its like; not those that tell about the session.
    fn clock(&mut self, function: SqlValueFunction) -> Checked<Node> {
        use SqlValueFunctionOp as Op;
        let SqlValueFunction { xpr, op, r#type, typmod, location } = function;
        self.visit(location)?;
        if xpr.is_some() || r#type != 0 {
            return self.malformed("a clock function");
        }
        match Op::try_from(op) {
            Ok(
                Op::SvfopCurrentDate
                | Op::SvfopCurrentTime
                | Op::SvfopCurrentTimeN
                | Op::SvfopCurrentTimestamp
                | Op::SvfopCurrentTimestampN
                | Op::SvfopLocaltime
                | Op::SvfopLocaltimeN
                | Op::SvfopLocaltimestamp
                | Op::SvfopLocaltimestampN,
            ) => {}
            _ => {
                let what = "a function that tells about the session";
                return self.not_supported(what, "queries read granted tables only");
            }
        }
        let function = SqlValueFunction { xpr: None, op, r#type: 0, typmod, location: 0 };
        Ok(node(NodeEnum::SqlvalueFunction(Box::new(function))))
    }

    /// A sub-select as a value, in EXISTS or ARRAY, or behind IN, ANY, SOME and ALL.
    fn sub_link(&mut self, link: SubLink, scope: &Scope<'_>) -> Checked<Node> {
        let SubLink { xpr, sub_link_type, sub_link_id, testexpr, oper_name, subselect, location } =
            link;
        self.visit(location)?;
        let kind = SubLinkType::try_from(sub_link_type).unwrap_or_default();
        let words = self.words(oper_name)?;
        let compares = matches!(kind, SubLinkType::AnySublink | SubLinkType::AllSublink);
        let known = compares
            || matches!(
                kind,
                SubLinkType::ExistsSublink | SubLinkType::ExprSublink | SubLinkType::ArraySublink
            );
        let all_of = kind == SubLinkType::AllSublink && words.is_empty();
        let fits =
            known && !all_of && compares == testexpr.is_some() && (compares || words.is_empty());
        if xpr.is_some() || sub_link_id != 0 || !fits {
            return self.malformed("a sub-select");
        }
        let testexpr = self.optional(testexpr, scope)?;
        let oper_name = match (compares, words.as_slice()) {
            (false, _) => Vec::new(),
            // `x IN (SELECT …)` and `x = ANY (SELECT …)` are the same; one has room for the schema.
            (true, []) => in_catalog("="),
            (true, words) => self.operator(words, operators::is_comparison)?,
        };
        let inner = Scope { items: &[], ctes: &[], outer: Some(scope) };
        let subselect = match kind {
            SubLinkType::ExistsSublink => subselect.map(of_something),
            _ => subselect,
        };
        let (select, _) = self.query(subselect, &inner)?;
        let link = SubLink {
            xpr: None,
            sub_link_type,
            sub_link_id: 0,
            testexpr,
            oper_name,
            subselect: boxed(NodeEnum::SelectStmt(Box::new(select))),
            location: 0,
        };
        Ok(node(NodeEnum::SubLink(Box::new(link))))
    }

    fn array(&mut self, array: AArrayExpr, scope: &Scope<'_>) -> Checked<Node> {
        let AArrayExpr { elements, list_start: _, list_end: _, location } = array;
        self.visit(location)?;
        let elements = self.expressions(elements, scope)?;
        let array = AArrayExpr { elements, list_start: 0, list_end: 0, location: 0 };
        Ok(node(NodeEnum::AArrayExpr(array)))
    }

    /// `x[1]` or `x[1:2]`; never `(x).field`, which can be a function call.
    fn part(&mut self, part: AIndirection, scope: &Scope<'_>) -> Checked<Node> {
        let AIndirection { arg, indirection } = part;
        self.look_at(&arg);
        let Some(arg) = arg else { return self.malformed("an index") };
        let arg = Some(Box::new(self.expression(*arg, scope)?));
        let mut indices = Vec::new();
        for index in indirection {
            let Some(NodeEnum::AIndices(index)) = index.node else {
                let what = "(expression).field";
                return self.not_supported(what, "name the column, or use -> for json");
            };
            let AIndices { is_slice, lidx, uidx } = *index;
            if !is_slice && (lidx.is_some() || uidx.is_none()) {
                return self.malformed("an index");
            }
            let lidx = self.optional(lidx, scope)?;
            let uidx = self.optional(uidx, scope)?;
            let index = AIndices { is_slice, lidx, uidx };
            indices.push(node(NodeEnum::AIndices(Box::new(index))));
        }
        let part = AIndirection { arg, indirection: indices };
        Ok(node(NodeEnum::AIndirection(Box::new(part))))
    }
}

/// A column reference of checked words.
pub(super) fn column<const N: usize>(words: [&str; N]) -> Node {
    let fields = words.into_iter().map(text).collect();
    node(NodeEnum::ColumnRef(ColumnRef { fields, location: 0 }))
}

/// `SELECT 1 FROM …` in the place of `SELECT FROM …`, which is the same to EXISTS.
fn of_something(mut query: Box<Node>) -> Box<Node> {
    if let Some(NodeEnum::SelectStmt(select)) = &mut query.node
        && select.op == SetOperation::SetopNone as i32
        && select.values_lists.is_empty()
        && select.target_list.is_empty()
    {
        let val = Some(Box::new(number(1)));
        select.target_list =
            vec![node(NodeEnum::ResTarget(Box::new(ResTarget { val, ..ResTarget::default() })))];
    }
    query
}

/// A number that every server version reads alike: `12`, `-1.5`, `1e6`.
fn is_decimal(number: &str) -> bool {
    let number = number.strip_prefix('-').unwrap_or(number);
    number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
}
