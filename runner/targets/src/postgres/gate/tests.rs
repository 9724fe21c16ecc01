//! The gate, attacked and used. [`reference`] is the grant that all tests share.

mod corpus;
mod facts;
mod generated;
mod limits;
mod masked;
mod recursion;
mod refusals;
mod rewritten;
mod second;

use domain::ParamType;

use super::{Gated, Grant, Refusal, Relation, gate};

/// The relations of a shop, some columns of each.
fn reference() -> Grant {
    let relation = |name: &str, columns: &[&str]| {
        Relation::plain("public", name, columns.iter().map(ToString::to_string).collect())
    };
    Grant::of(vec![
        relation("users", &["id", "country", "created_at", "tags"]),
        relation("orders", &["id", "user_id", "status", "total", "placed_at"]),
        relation("big", &["id", "pad"]),
        relation("lockme", &["id", "v"]),
        relation("events", &["id", "kind", "at"]),
        relation("Weird Name", &["id", "select", "Ünï"]),
    ])
}

/// A query with as many text parameters as any test needs.
fn try_gate(sql: &str) -> Result<Gated, Refusal> {
    gate(sql, &[ParamType::Text; 4], &reference())
}
