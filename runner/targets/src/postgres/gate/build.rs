//! Nodes of our own making, for the templates of masks and filters. Every name in them is ours and
//! carries its schema; whatever came from policy is a constant or a column.

use pg_query::protobuf::{
    AConst, AExpr, AExprKind, BoolExpr, BoolExprType, Boolean, CaseExpr, CaseWhen, CoercionForm,
    CollateClause, FuncCall, MinMaxExpr, MinMaxOp, NullTest, NullTestType, ParamRef,
    String as Text, TypeCast, TypeName, a_const,
};
use pg_query::{Node, NodeEnum};

fn node(kind: NodeEnum) -> Node {
    Node { node: Some(kind) }
}

fn boxed(node: Node) -> Option<Box<Node>> {
    Some(Box::new(node))
}

pub(super) fn word(sval: &str) -> Node {
    node(NodeEnum::String(Text { sval: sval.to_owned() }))
}

fn in_catalog(name: &str) -> Vec<Node> {
    vec![word("pg_catalog"), word(name)]
}

fn constant(val: a_const::Val) -> Node {
    node(NodeEnum::AConst(AConst { isnull: false, location: 0, val: Some(val) }))
}

/// `'text'`
pub(super) fn literal(text: &str) -> Node {
    constant(a_const::Val::Sval(Text { sval: text.to_owned() }))
}

/// `12`
pub(super) fn number(ival: i32) -> Node {
    constant(a_const::Val::Ival(pg_query::protobuf::Integer { ival }))
}

/// `false`
pub(super) fn no() -> Node {
    constant(a_const::Val::Boolval(Boolean { boolval: false }))
}

/// `$n`
pub(super) fn parameter(number: i32) -> Node {
    node(NodeEnum::ParamRef(ParamRef { number, location: 0 }))
}

/// `value::pg_catalog.name`
pub(super) fn cast(value: Node, name: &str) -> Node {
    let type_name = Some(TypeName {
        names: in_catalog(name),
        type_oid: 0,
        setof: false,
        pct_type: false,
        typmods: Vec::new(),
        typemod: -1,
        array_bounds: Vec::new(),
        location: 0,
    });
    node(NodeEnum::TypeCast(Box::new(TypeCast { arg: boxed(value), type_name, location: 0 })))
}

/// `pg_catalog.name(args)`
pub(super) fn call<const N: usize>(name: &str, args: [Node; N]) -> Node {
    let call = FuncCall {
        funcname: in_catalog(name),
        args: args.into(),
        funcformat: CoercionForm::CoerceExplicitCall as i32,
        ..FuncCall::default()
    };
    node(NodeEnum::FuncCall(Box::new(call)))
}

/// `left OPERATOR(pg_catalog.name) right`
pub(super) fn op(left: Node, name: &str, right: Node) -> Node {
    let operation = AExpr {
        kind: AExprKind::AexprOp as i32,
        name: in_catalog(name),
        lexpr: boxed(left),
        rexpr: boxed(right),
        ..AExpr::default()
    };
    node(NodeEnum::AExpr(Box::new(operation)))
}

/// `left OR right`
pub(super) fn or(left: Node, right: Node) -> Node {
    let operation = BoolExpr {
        boolop: BoolExprType::OrExpr as i32,
        args: vec![left, right],
        ..BoolExpr::default()
    };
    node(NodeEnum::BoolExpr(Box::new(operation)))
}

/// `GREATEST(left, right)`
pub(super) fn greatest(left: Node, right: Node) -> Node {
    let extreme = MinMaxExpr {
        op: MinMaxOp::IsGreatest as i32,
        args: vec![left, right],
        ..MinMaxExpr::default()
    };
    node(NodeEnum::MinMaxExpr(Box::new(extreme)))
}

/// `value COLLATE pg_catalog.name`
pub(super) fn collate(value: Node, name: &str) -> Node {
    let clause =
        CollateClause { arg: boxed(value), collname: in_catalog(name), ..CollateClause::default() };
    node(NodeEnum::CollateClause(Box::new(clause)))
}

/// `value IS NOT NULL`
pub(super) fn is_there(value: Node) -> Node {
    let test = NullTest {
        arg: boxed(value),
        nulltesttype: NullTestType::IsNotNull as i32,
        ..NullTest::default()
    };
    node(NodeEnum::NullTest(Box::new(test)))
}

/// `CASE WHEN … THEN … ELSE … END`
pub(super) fn case(whens: Vec<(Node, Node)>, otherwise: Option<Node>) -> Node {
    let when = |(condition, result): (Node, Node)| {
        let when =
            CaseWhen { expr: boxed(condition), result: boxed(result), ..CaseWhen::default() };
        node(NodeEnum::CaseWhen(Box::new(when)))
    };
    let case = CaseExpr {
        args: whens.into_iter().map(when).collect(),
        defresult: otherwise.map(Box::new),
        ..CaseExpr::default()
    };
    node(NodeEnum::CaseExpr(Box::new(case)))
}
