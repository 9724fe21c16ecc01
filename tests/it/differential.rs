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
use situation::{Company, Situation};

/// What is drawn besides every single change, for each company.
const COMBINED: usize = 60;

/// Where the two must differ, and why. The runner refuses an order with such a document; the control
/// plane puts orders together, so its advice leaves out what it would not send.
fn must_differ(situation: &Situation) -> Option<&'static str> {
    if situation.stray.is_some() {
        return Some("an order carries what it must not, advice leaves it out");
    }
    if situation.self_serve && situation.callers_key_is_stopped() {
        return Some("advice does not know by which key the caller will sign");
    }
    None
}

fn compare(company: &Company, situation: &Situation, verdicts: &Verdicts) -> Result<(), String> {
    let Verdicts { advice, binding, left_out } = verdicts;
    let agree = match must_differ(situation) {
        None => advice == binding,
        Some(_) => *binding == Some(Rule::DocumentInvalid) && (*left_out > 0 || situation.self_serve),
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
            differences.extend(compare(&company, &situation, &verdicts).err());
        }
        bench.rig.close().await;
    }
    let total: usize = seen.values().sum();
    assert!(differences.is_empty(), "{} of {total}:\n{}", differences.len(), differences[0]);
    // The model is worth something only while it reaches the rules.
    assert!(total > 800 && seen["yes"] > 100 && seen.len() > 20, "{total} {seen:#?}");
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
