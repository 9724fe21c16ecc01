//! What the planner expects of a statement, before it runs: a ceiling, and nothing else.
//!
//! Asked in the statement's own transaction, after the gate and under the statement's time, because
//! planning runs immutable functions. An expectation tells how many rows a predicate finds, so it is
//! shown to nobody but the operator's log. It is blind to recursion and to what single values need;
//! time, the role's `temp_file_limit` and the gate's literals bound these.

use domain::plan::{Expected, Magnitude};
use serde::Deserialize;
use tokio_postgres::Transaction;
use tokio_postgres::types::{FromSql, Type};

use super::failure::failure;
use super::params::Bound;
use super::statement::bad_value;
use crate::TargetError;

/// Bytes that one node of a plan may be expected to hold at a time: rows times their width.
const HELD_BYTES_MAX: u64 = 1 << 30;
/// Nodes that hold their rows.
const HOLDS: &[&str] = &[
    "Sort",
    "Incremental Sort",
    "Hash",
    "Materialize",
    "Memoize",
    "WindowAgg",
    "CTE Scan",
    "Function Scan",
    "Table Function Scan",
];

#[derive(Deserialize)]
struct Explained {
    #[serde(rename = "Plan")]
    plan: Node,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "Node Type")]
    kind: String,
    #[serde(rename = "Total Cost")]
    cost: f64,
    #[serde(rename = "Plan Rows")]
    rows: f64,
    #[serde(rename = "Plan Width")]
    width: f64,
    #[serde(rename = "Plans", default)]
    below: Vec<Node>,
}

impl Node {
    /// The most that any node holds at a time, bytes.
    fn held(&self) -> f64 {
        let own = if HOLDS.contains(&self.kind.as_str()) { self.rows * self.width } else { 0.0 };
        self.below.iter().map(Self::held).fold(own, f64::max)
    }
}

/// Refuses a statement that is expected to be too much; `wrapped` is the text that would run.
pub(super) async fn check(
    transaction: &Transaction<'_>,
    wrapped: &str,
    types: &[Type],
    bound: &[Bound<'_>],
    cost_max: u64,
) -> Result<(), TargetError> {
    let sql = format!("EXPLAIN (FORMAT JSON) {wrapped}");
    let statement = transaction.prepare_typed(&sql, types).await.map_err(failure)?;
    let portal = transaction.bind_raw(&statement, bound).await.map_err(bad_value)?;
    let rows = transaction.query_portal(&portal, 0).await.map_err(failure)?;
    let text =
        rows.first().map(|row| row.try_get::<_, Json<'_>>(0).map_err(failure)).transpose()?;
    judge(text.map_or("", |json| json.0), cost_max)
}

/// What the planner expects of `gated`, for values that nobody has chosen: its generic plan.
pub(super) async fn expect(
    transaction: &Transaction<'_>,
    gated: &str,
    types: &[Type],
) -> Result<Expected, TargetError> {
    let client = transaction.client();
    let names: Vec<&str> = types.iter().map(Type::name).collect();
    let (declared, values) = if names.is_empty() {
        (String::new(), String::new())
    } else {
        let nulls = vec!["NULL"; names.len()].join(", ");
        (format!("({})", names.join(", ")), format!("({nulls})"))
    };
    // One statement each; the gated text is one SELECT, deparsed from its checked tree.
    let prepare = format!("PREPARE expected {declared} AS {gated}");
    for sql in ["SET LOCAL plan_cache_mode = force_generic_plan", &prepare] {
        let statement = client.prepare(sql).await.map_err(failure)?;
        client.execute(&statement, &[]).await.map_err(failure)?;
    }
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE expected {values}");
    let statement = client.prepare(&explain).await.map_err(failure)?;
    let row = client.query_one(&statement, &[]).await.map_err(failure)?;
    let plan = read(row.try_get::<_, Json<'_>>(0).map_err(failure)?.0)?;
    Ok(Expected { rows: Magnitude::of(plan.rows), cost: Magnitude::of(plan.cost) })
}

/// The plan's root. One that is nested too deep to be read is not run either.
fn read(text: &str) -> Result<Node, TargetError> {
    let plans = serde_json::from_str::<Vec<Explained>>(text).unwrap_or_default();
    let [Explained { plan }] = <[Explained; 1]>::try_from(plans).map_err(|_| {
        let capacity = "plans that can be read";
        TargetError::TooBig { capacity, detail: String::new() }
    })?;
    Ok(plan)
}

fn judge(text: &str, cost_max: u64) -> Result<(), TargetError> {
    let plan = read(text)?;
    let held = plan.held();
    for (what, found, max) in
        [("cost", plan.cost, cost_max), ("bytes held at a time", held, HELD_BYTES_MAX)]
    {
        #[expect(clippy::cast_precision_loss, reason = "an expectation is no exact number")]
        let is_within = found <= max as f64;
        if !is_within {
            return Err(TargetError::TooCostly { what, max, detail: format!("{found:.0}") });
        }
    }
    Ok(())
}

/// JSON as the text that it is.
struct Json<'a>(&'a str);

impl<'a> FromSql<'a> for Json<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON
    }
}

#[cfg(test)]
mod tests;
