//! Two runners of one company against a model that is too small to be wrong: whatever is narrowed,
//! stopped, lifted, spent, repeated, waited for and crashed, in whatever order, each runner starts what
//! the model says and denies the rest by the rule that the model says.
//!
//! Everything real is real: documents are signed, the guest runs, the log is fsynced, and a crash is the
//! runner opened again from its directory. `BORESCOPE_MODEL_CASES` sets how many histories are tried; a
//! counterexample is printed as the shortest list of steps that still fails.

mod state;
mod world;

use std::fmt;

use domain::Rule;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use state::Model;
use world::World;

/// Histories that are tried where nobody asks for more.
const CASES: u32 = 24;
/// Steps of one history.
const STEPS_MAX: usize = 14;

/// One of the two runners, or of the two grants: each is for one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    First,
    Second,
}

impl Which {
    const BOTH: [Self; 2] = [Self::First, Self::Second];

    const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// Whom a word against runs, or its end, reaches.
#[derive(Clone, Copy, Debug)]
enum Reaches {
    One(Which),
    Both,
}

impl Reaches {
    fn includes(self, which: Which) -> bool {
        match self {
            Self::One(one) => one == which,
            Self::Both => true,
        }
    }
}

/// What is stopped.
#[derive(Clone, Copy, Debug)]
enum Banned {
    Everything,
    Caller,
    Script,
    Target,
    Grant(Which),
}

/// One thing that happens. What refers to an earlier step does so by a number that is taken modulo how
/// many there are, so that a history stays one when steps are taken out of it.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The caller orders a use of a grant, and the order goes to a runner.
    Spend { grant: Which, number: u64, on: Which },
    /// An order of before is delivered again, perhaps to the other runner.
    Again { order: usize, on: Which },
    /// One more approval, that ends so many seconds from now.
    Narrow { grant: Which, ends_in_s: u64 },
    /// Time goes by.
    Wait { seconds: u64 },
    /// A stop is signed and reaches runners.
    Stop { what: Banned, reaches: Reaches },
    /// A lift of an earlier stop reaches runners, perhaps before the stop does.
    Lift { stop: usize, reaches: Reaches },
    /// A stop of before reaches runners once more.
    StopAgain { stop: usize, reaches: Reaches },
    /// A runner is killed and started again.
    Crash { on: Which },
}

/// A history, printed as a list.
#[derive(Clone)]
struct History(Vec<Step>);

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for (n, step) in self.0.iter().enumerate() {
            writeln!(f, "  {}. {step:?}", n + 1)?;
        }
        Ok(())
    }
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![Just(Which::First), Just(Which::Second)]
}

fn reaches() -> impl Strategy<Value = Reaches> {
    prop_oneof![Just(Reaches::Both), which().prop_map(Reaches::One)]
}

fn banned() -> impl Strategy<Value = Banned> {
    prop_oneof![
        Just(Banned::Everything),
        Just(Banned::Caller),
        Just(Banned::Script),
        Just(Banned::Target),
        which().prop_map(Banned::Grant),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..=world::USES + 1;
    // Mostly to the right runner, or nothing would ever be spent.
    let right = prop_oneof![4 => Just(true), 1 => Just(false)];
    let spend = (which(), number, right).prop_map(|(grant, number, right)| {
        let other = if grant == Which::First { Which::Second } else { Which::First };
        Step::Spend { grant, number, on: if right { grant } else { other } }
    });
    prop_oneof![
        8 => spend,
        2 => (0..8usize, which()).prop_map(|(order, on)| Step::Again { order, on }),
        2 => (which(), 0..1200u64).prop_map(|(grant, ends_in_s)| Step::Narrow { grant, ends_in_s }),
        2 => prop_oneof![1..70u64, 300..2000u64].prop_map(|seconds| Step::Wait { seconds }),
        2 => (banned(), reaches()).prop_map(|(what, reaches)| Step::Stop { what, reaches }),
        2 => (0..8usize, reaches()).prop_map(|(stop, reaches)| Step::Lift { stop, reaches }),
        1 => (0..8usize, reaches()).prop_map(|(stop, reaches)| Step::StopAgain { stop, reaches }),
        2 => which().prop_map(|on| Step::Crash { on }),
    ]
}

/// What one step led to, in words for a counterexample.
fn differs(
    n: usize,
    step: &Step,
    model: &impl fmt::Debug,
    runner: &impl fmt::Debug,
) -> TestCaseError {
    TestCaseError::fail(format!(
        "step {} {step:?}: by the model {model:?}, in truth {runner:?}",
        n + 1
    ))
}

async fn lived(history: &History) -> Result<(), TestCaseError> {
    let (mut world, mut model) = (World::new().await, Model::default());
    for (n, step) in history.0.iter().enumerate() {
        let expected: Option<Option<Rule>> = model.takes(step);
        let got = world.takes(step).await;
        if got != expected {
            return Err(differs(n, step, &expected, &got));
        }
        for on in Which::BOTH {
            let (expected, got) = (model.remembers(on), world.remembers(on));
            if got != expected {
                return Err(differs(n, step, &expected, &got));
            }
        }
    }
    world.close().await;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how long to try is whoever runs the tests' choice")]
fn cases() -> u32 {
    std::env::var("BORESCOPE_MODEL_CASES").map_or(CASES, |n| n.parse().unwrap())
}

#[test]
fn two_runners_do_what_the_model_says() {
    let config = Config {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let history = prop::collection::vec(step(), 1..=STEPS_MAX).prop_map(History);
    let ran = TestRunner::new(config).run(&history, |h| runtime.block_on(lived(&h)));
    if let Err(counterexample) = ran {
        panic!("{counterexample}");
    }
}
