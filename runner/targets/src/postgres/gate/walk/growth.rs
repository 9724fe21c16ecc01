//! Functions that can make much from little. Their lengths and bounds are literals, and the product
//! of all of them in a query has a limit.

use pg_query::protobuf::{AConst, Integer, String as Text, a_const};
use pg_query::{Node, NodeEnum};

use super::super::refusal::{Checked, What};
use super::Walk;

/// How much longer the values, and how many more the rows, that all such calls of a query make.
const GROWTH_MAX: u64 = 100_000;

impl Walk<'_> {
    /// Counts what a call can make.
    pub(super) fn growth(&mut self, name: &str, args: &[Node]) -> Checked<()> {
        let factor = match (name, args) {
            ("repeat" | "lpad" | "rpad", [_, count, ..]) => integer(count).map(magnitude),
            ("generate_series", [from, to]) => span(from, to, 1),
            ("generate_series", [from, to, step]) => {
                integer(step).filter(|step| *step != 0).and_then(|step| span(from, to, step))
            }
            ("replace", [_, from, to]) => replaced(from, to),
            ("regexp_replace", [_, _, to, ..]) => text(to).map(|to| to.len() as u64 + 1),
            ("repeat" | "lpad" | "rpad" | "generate_series" | "replace" | "regexp_replace", _) => {
                None
            }
            _ => Some(1),
        };
        let Some(factor) = factor else {
            let what = format!("{name} with lengths, bounds or replacements that are no literals");
            return self
                .not_supported(what, "write them as literals, whole numbers where they count");
        };
        self.grown = self.grown.saturating_mul(factor.max(1));
        if self.grown > GROWTH_MAX {
            let max = usize::try_from(GROWTH_MAX).unwrap_or(usize::MAX);
            return self.deny(What::TooLarge { of: "rows or characters made by literals", max });
        }
        Ok(())
    }
}

/// Rows from one number to another.
fn span(from: &Node, to: &Node, step: i64) -> Option<u64> {
    let length = integer(to)?.abs_diff(integer(from)?);
    Some(length / step.unsigned_abs() + 1)
}

fn magnitude(count: i64) -> u64 {
    count.unsigned_abs()
}

/// How much longer a text gets when each `from` in it becomes `to`.
fn replaced(from: &Node, to: &Node) -> Option<u64> {
    let (from, to) = (text(from)?.len().max(1), text(to)?.len());
    Some(to.div_ceil(from) as u64)
}

fn integer(node: &Node) -> Option<i64> {
    match constant(node)? {
        a_const::Val::Ival(Integer { ival }) => Some(i64::from(*ival)),
        _ => None,
    }
}

fn text(node: &Node) -> Option<&str> {
    match constant(node)? {
        a_const::Val::Sval(Text { sval }) => Some(sval),
        _ => None,
    }
}

fn constant(node: &Node) -> Option<&a_const::Val> {
    match &node.node {
        Some(NodeEnum::AConst(AConst { isnull: false, val, location: _ })) => val.as_ref(),
        _ => None,
    }
}
