//! Functions that can make much from little. Their lengths and bounds are literals, and the product
//! of all of them in a query has a limit.

use pg_query::protobuf::{AConst, Integer, String as Text, TypeCast, a_const};
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
            ("generate_series", [from, to, step])
                if integer(step).is_some_and(|step| step != 0) =>
            {
                integer(step).and_then(|step| span(from, to, step))
            }
            // A day's steps through all time that there is are less than a sequence of numbers may have.
            ("generate_series", [_, _, step]) => steps_of_time(step).then_some(MOMENTS),
            ("format", [form, ..]) => text(form).and_then(placeholders),
            ("replace", [_, from, to]) => replaced(from, to),
            ("regexp_replace", [_, _, to, ..]) => text(to).map(|to| to.len() as u64 + 1),
            (
                "repeat" | "lpad" | "rpad" | "generate_series" | "format" | "replace"
                | "regexp_replace",
                _,
            ) => None,
            _ => Some(1),
        };
        let Some(factor) = factor else {
            let what = format!("{name} with lengths, bounds or replacements that are no literals");
            let help = match name {
                "generate_series" => {
                    "write them as whole numbers, or the step between moments as '1 day', at least a \
                     minute"
                }
                _ => "write them as literals, whole numbers where they count",
            };
            return self.not_supported(what, help);
        };
        self.grown = self.grown.saturating_mul(factor.max(1));
        if self.grown > GROWTH_MAX {
            let max = usize::try_from(GROWTH_MAX).unwrap_or(usize::MAX);
            return self.deny(What::TooLarge { of: "rows or characters made by literals", max });
        }
        Ok(())
    }
}

/// What a series of moments counts for. It is as long as its bounds are apart, which time and temporary
/// files end; bounds that nobody typed wrong are some hundreds of steps apart.
const MOMENTS: u64 = 100;

/// Whether it is an interval of a minute or more: `'15 minutes'`, `interval '1 day'`.
fn steps_of_time(step: &Node) -> bool {
    let literal = match &step.node {
        Some(NodeEnum::TypeCast(cast)) if is_interval(cast) => cast.arg.as_deref().and_then(text),
        _ => text(step),
    };
    let Some((number, unit)) = literal.and_then(|literal| literal.trim().split_once(' ')) else {
        return false;
    };
    const UNITS: &[&str] = &["minute", "hour", "day", "week", "month", "year"];
    let is_long = number.parse::<i32>().is_ok_and(|number| number != 0);
    is_long && UNITS.contains(&unit.trim().strip_suffix('s').unwrap_or(unit.trim()))
}

fn is_interval(cast: &TypeCast) -> bool {
    let Some(of) = &cast.type_name else { return false };
    let last = of.names.last().and_then(|name| name.node.as_ref());
    matches!(last, Some(NodeEnum::String(Text { sval })) if sval == "interval")
        && of.typmods.is_empty()
        && of.array_bounds.is_empty()
}

/// How many values a text for `format` has places for; `None` when one is wider than people read.
fn placeholders(form: &str) -> Option<u64> {
    let mut count = 0;
    let mut rest = form;
    while let Some((_, after)) = rest.split_once('%') {
        let end = after.find(|c: char| !(c.is_ascii_digit() || matches!(c, '$' | '-')))?;
        let (flags, kind) = after.split_at(end);
        let width = flags.rsplit('$').next().unwrap_or_default().trim_start_matches('-');
        if width.len() > 2 || !kind.starts_with(['s', 'I', 'L', '%']) {
            return None;
        }
        count += 1;
        rest = &kind[1..];
    }
    Some(count)
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
