//! How a derivation reads.

use domain::{Rule, Step};

use super::{steps, verdict};
use crate::out::Out;

fn step(rule: Rule, satisfied: bool, fact: &str) -> Step {
    let help = (!satisfied).then(|| "ask somebody else".to_owned());
    let documents = if satisfied { vec!["rev_1".to_owned()] } else { vec![] };
    Step { rule, satisfied, fact: fact.to_owned(), help, documents }
}

#[test]
fn a_derivation_says_the_fact_the_documents_and_the_help() {
    let all = [
        step(Rule::ReviewMissing, true, "reviewed by bob"),
        step(Rule::ApprovalMissing, false, "0 of 1 approvals of req_1 count"),
    ];
    let lines = steps(&all, Out::plain());
    assert_eq!(
        lines,
        [
            "✓ review-missing         reviewed by bob",
            "                         by rev_1",
            "✗ approval-missing       0 of 1 approvals of req_1 count",
            "                         help: ask somebody else",
            "                         next: borescope approve REQUEST",
        ]
    );
    assert_eq!(verdict(&all, Out::plain()), "denied by approval-missing");
    assert_eq!(verdict(&all[..1], Out::plain()), "allowed");
}

#[test]
fn what_others_wrote_draws_nothing() {
    let all = [step(Rule::Stopped, false, "\u{1b}[2J\u{202e}evil")];
    assert!(steps(&all, Out::plain()).iter().all(|l| !l.contains(['\u{1b}', '\u{202e}'])));
}
