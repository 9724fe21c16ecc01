//! One `decide()`, two judges: what the control plane advises and what the runner answers are the same,
//! whoever said whatever about a run.
//!
//! The situations come from a small model ([`situation`]): what suffices in some company, with one,
//! two or three things changed. The runner gets a real order and goes its whole way; its scripts have a
//! component that cannot be admitted, so that a yes is known by that refusal and spends nothing. What
//! only real runs leave behind, and the control plane's own part, come after.

mod over_http;
mod play;
mod situation;

use std::collections::BTreeMap;

use domain::Rule;
use tests::ambient::SeededEntropy;

use play::{Bench, Verdicts};
use situation::{Company, Fresh, Situation};

/// What is drawn besides every single change, for each company.
const COMBINED: usize = 60;

/// Where the two differ, why, and what the runner says then.
enum Differs {
    /// The runner refuses an order with a document that it must not carry. The control plane puts orders
    /// together, so its advice leaves out what it would not send.
    StrayDocument,
    /// Advice does not know by which key the caller will sign.
    CallersKey,
    /// A runner judges an order without a status by the newest that it has had; advice, by the one that
    /// would be sent.
    KeptStatus,
}

fn differs(company: Company, situation: &Situation) -> Option<Differs> {
    if situation.stray_is_sent() {
        return Some(Differs::StrayDocument);
    }
    if situation.self_serve && situation.callers_key_is_stopped() {
        return Some(Differs::CallersKey);
    }
    let missing = situation.fresh == Fresh::Missing;
    (missing && company == Company::Prod).then_some(Differs::KeptStatus)
}

fn compare(company: Company, situation: &Situation, verdicts: &Verdicts) -> Result<(), String> {
    let Verdicts { advice, binding, left_out } = verdicts;
    let invalid = *binding == Some(Rule::DocumentInvalid);
    let agree = match differs(company, situation) {
        None => advice == binding,
        // Unless the caller is in the way already, of whose access request nothing can be said.
        Some(Differs::StrayDocument) => invalid && (*left_out > 0 || advice == binding),
        Some(Differs::CallersKey) => invalid,
        Some(Differs::KeptStatus) => advice == binding || *advice == Some(Rule::StatusMissing),
    };
    if agree {
        return Ok(());
    }
    Err(format!("{company:?}: advice {advice:?}, binding {binding:?} of {situation:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_and_the_runner_agree_in_every_situation() {
    let dice = SeededEntropy::new("situations");
    let (mut seen, mut differences) = (BTreeMap::<_, usize>::new(), Vec::new());
    for company in Company::ALL {
        let bench = Bench::set(company).await;
        for situation in situation::all(company, &dice, COMBINED) {
            let verdicts = bench.judged(&situation).await;
            *seen.entry(verdicts.binding.map_or("yes", Rule::code)).or_default() += 1;
            differences.extend(compare(company, &situation, &verdicts).err());
        }
        bench.rig.close().await;
    }
    let total: usize = seen.values().sum();
    let first = differences.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} of {total}:\n{first}", differences.len());
    // The model is worth something only while it reaches the rules.
    assert!(total > 800 && seen["yes"] > 100 && seen.len() >= 20, "{total} {seen:#?}");
}

/// Real runs spend uses, quotas and what an emergency owes; after each the two are asked again.
#[tokio::test(flavor = "multi_thread")]
async fn advice_and_the_runner_agree_on_what_is_spent_and_owed() {
    for company in [Company::Plain, Company::SelfServe, Company::Unapproved] {
        let bench = Bench::set(company).await;
        let ordinary = Situation::ordinary(company);
        let emergency = Situation { emergency: true, ..ordinary.clone() };
        for situation in [ordinary, emergency] {
            let script = bench.real_script();
            let story = bench.documents_of(&situation, script);
            let mut answers = Vec::new();
            for use_number in [1, 1, 2, 3, 1] {
                let number = if situation.self_serve { 0 } else { use_number };
                let verdicts = bench.judge(&story, number).await;
                assert_eq!(verdicts.advice, verdicts.binding, "{company:?} {situation:#?}");
                answers.push(verdicts.advice);
                bench.rig.clock.advance_s(1);
            }
            assert!(answers.contains(&None) && answers.iter().any(Option::is_some), "{answers:?}");
            // Late with what the emergency owes.
            bench.rig.clock.advance_s(700);
            let late = bench.judged(&Situation { emergency: true, ..situation.clone() }).await;
            assert_eq!(late.advice, late.binding, "{company:?} {situation:#?}");
        }
        bench.rig.close().await;
    }
}
