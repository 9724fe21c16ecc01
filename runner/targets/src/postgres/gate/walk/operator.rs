//! Operators: on the list, and sent as `OPERATOR(pg_catalog.…)` wherever the grammar has a place
//! for the schema.

use pg_query::protobuf::{AExpr, AExprKind, List};
use pg_query::{Node, NodeEnum};

use super::super::operators;
use super::super::refusal::Checked;
use super::super::scope::Scope;
use super::{Walk, in_catalog, node, text};

impl Walk<'_> {
    /// Everything that the grammar calls an operator expression.
    pub(super) fn operation(&mut self, operation: AExpr, scope: &Scope<'_>) -> Checked<Node> {
        let AExpr { kind, name, lexpr, rexpr, rexpr_list_start: _, rexpr_list_end: _, location } =
            operation;
        self.visit(location)?;
        let known = AExprKind::try_from(kind).unwrap_or_default();
        let words = self.words(name)?;
        let (kind, name) = match known {
            AExprKind::AexprOp => (known, self.operator(&words, operators::is_allowed)?),
            AExprKind::AexprOpAny | AExprKind::AexprOpAll => {
                (known, self.operator(&words, operators::is_comparison)?)
            }
            // LIKE is an operator with another spelling; this one has room for the schema.
            AExprKind::AexprLike | AExprKind::AexprIlike | AExprKind::AexprSimilar => {
                (AExprKind::AexprOp, self.operator(&words, operators::is_comparison)?)
            }
            AExprKind::AexprIn
            | AExprKind::AexprDistinct
            | AExprKind::AexprNotDistinct
            | AExprKind::AexprNullif
            | AExprKind::AexprBetween
            | AExprKind::AexprNotBetween
            | AExprKind::AexprBetweenSym
            | AExprKind::AexprNotBetweenSym => (known, self.keyword(known, &words)?),
            AExprKind::Undefined => return self.malformed("an operator"),
        };
        let Some(rexpr) = rexpr else { return self.malformed("an operator") };
        if lexpr.is_none() && kind != AExprKind::AexprOp {
            return self.malformed("an operator");
        }
        let lexpr = self.optional(lexpr, scope)?;
        let rexpr = match kind {
            AExprKind::AexprIn => self.list(*rexpr, None, scope)?,
            AExprKind::AexprBetween
            | AExprKind::AexprNotBetween
            | AExprKind::AexprBetweenSym
            | AExprKind::AexprNotBetweenSym => self.list(*rexpr, Some(2), scope)?,
            _ => self.expression(*rexpr, scope)?,
        };
        Ok(node(NodeEnum::AExpr(Box::new(AExpr {
            kind: kind as i32,
            name,
            lexpr,
            rexpr: Some(Box::new(rexpr)),
            rexpr_list_start: 0,
            rexpr_list_end: 0,
            location: 0,
        }))))
    }

    /// The name of a listed operator, with its schema.
    pub(super) fn operator(
        &mut self,
        words: &[String],
        allowed: fn(&str) -> bool,
    ) -> Checked<Vec<Node>> {
        let name = match words {
            [name] => name,
            [schema, name] if schema == "pg_catalog" => name,
            _ => {
                let what = format!("the operator {}", words.join("."));
                return self.not_supported(what, "use PostgreSQL's own operators");
            }
        };
        if !allowed(name) {
            let help = "compare with =, <, LIKE or IN, or compute in the script";
            return self.not_supported(format!("the operator {name} here"), help);
        }
        Ok(in_catalog(name.as_str()))
    }

    /// A form made of keywords, whose operator the grammar fixes without a schema.
    fn keyword(&mut self, kind: AExprKind, words: &[String]) -> Checked<Vec<Node>> {
        let fixed: &[&str] = match kind {
            AExprKind::AexprIn => &["=", "<>"],
            AExprKind::AexprBetween => &["BETWEEN"],
            AExprKind::AexprNotBetween => &["NOT BETWEEN"],
            AExprKind::AexprBetweenSym => &["BETWEEN SYMMETRIC"],
            AExprKind::AexprNotBetweenSym => &["NOT BETWEEN SYMMETRIC"],
            _ => &["="],
        };
        match words {
            [name] if fixed.contains(&name.as_str()) => Ok(vec![text(name.as_str())]),
            _ => self.malformed("an operator"),
        }
    }

    /// The values behind IN, the bounds behind BETWEEN.
    fn list(&mut self, list: Node, len: Option<usize>, scope: &Scope<'_>) -> Checked<Node> {
        let Some(NodeEnum::List(List { items })) = list.node else {
            return self.malformed("a list of values");
        };
        if items.is_empty() || len.is_some_and(|len| len != items.len()) {
            return self.malformed("a list of values");
        }
        Ok(node(NodeEnum::List(List { items: self.expressions(items, scope)? })))
    }
}
