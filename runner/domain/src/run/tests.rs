//! The whole state × state table.

use super::{Outcome, RunState};
use crate::LimitName;

#[test]
fn the_table_of_moves() {
    let ends = [
        Outcome::Succeeded,
        Outcome::Failed,
        Outcome::Denied,
        Outcome::LimitExceeded { limit: LimitName::Fuel },
        Outcome::Cancelled,
        Outcome::Lost,
    ]
    .map(|outcome| RunState::Ended { outcome });
    let all: Vec<RunState> =
        [RunState::Queued, RunState::Running].into_iter().chain(ends).collect();
    let mut table = String::new();
    for from in &all {
        let to: Vec<&str> = all.iter().filter(|t| from.to(**t).is_ok()).map(|t| t.code()).collect();
        table.push_str(&format!("{} -> {}\n", from.code(), to.join(" ")));
    }
    expect_test::expect![[r"
        queued -> running denied cancelled lost
        running -> succeeded failed limit-exceeded cancelled lost
        succeeded -> 
        failed -> 
        denied -> 
        limit-exceeded -> 
        cancelled -> 
        lost -> 
    "]]
    .assert_eq(&table);
}
