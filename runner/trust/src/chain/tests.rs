//! An order with one wrong document is refused by name; a right one becomes facts.

mod advice;
mod attacks;
mod base;
mod negatives;
mod order;
mod signatures;
mod ways;

use std::collections::BTreeSet;

use domain::decide::{Rule, SelfServeRun, StopSubject};
use domain::{BundleIndex, Digest, Facts, Manifest, decide, explain};

use super::*;
use crate::document::{Document, sign, sign_all};
use crate::documents::*;
use crate::testing::*;
use crate::{Authority, Problem};

fn manifest() -> Manifest {
    Manifest::parse(manifest_toml("1.2.0").as_bytes()).unwrap()
}

fn documents() -> ChainDocuments {
    ChainDocuments {
        run_request: sign(&run_request(), &key(OTTO)).unwrap(),
        access_request: Some(sign(&access_request(), &key(OTTO)).unwrap()),
        approvals: vec![sign(&approval(), &key(RUTH)).unwrap()],
        submissions: vec![sign(&submission(), &key(ANNA)).unwrap()],
        reviews: vec![sign(&review(), &key(CAROL)).unwrap()],
        stops: vec![],
        lifts: vec![],
        withdrawals: vec![],
        after_reviews: vec![],
        status: None,
        base: None,
    }
}

/// Otto runs without an approval what carol opened.
fn self_serve() -> ChainDocuments {
    let mut run = run_request();
    (run.request, run.use_number) = (None, 0);
    let run_request = sign(&run, &key(OTTO)).unwrap();
    ChainDocuments { run_request, access_request: None, approvals: vec![], ..documents() }
}

struct Runner {
    authority: Authority,
    manifest: Manifest,
    bundle: BundleIndex,
    in_force: InForce,
    name: RunnerName,
    runs: Vec<SelfServeRun>,
    owed: Vec<OwedAfterReview>,
}

impl Runner {
    fn new() -> Self {
        Self::under(authority())
    }

    fn under(authority: Authority) -> Self {
        Self {
            authority,
            manifest: manifest(),
            bundle: bundle("1.2.0", b"component"),
            in_force: InForce::default(),
            name: t("local"),
            runs: vec![],
            owed: vec![],
        }
    }

    fn stopped(subject: StopSubject) -> Self {
        let mut runner = Self::new();
        runner.in_force.apply(Negative::Stop(Digest::of(b"a stop"), subject));
        runner
    }

    fn chain(&self, documents: &ChainDocuments) -> Result<ChainFacts<'_>, ChainError> {
        let local = Local {
            now: now(),
            runner: &self.name,
            manifest: &self.manifest,
            bundle: &self.bundle,
            input: Digest::of(b"{}"),
            in_force: &self.in_force,
            run_id_spent: false,
            uses_spent: vec![],
            self_serve_runs: self.runs.clone(),
            owed: &self.owed,
        };
        facts(&self.authority, documents, local)
    }

    fn facts(&self, documents: &ChainDocuments) -> Result<Facts<'_>, ChainError> {
        self.chain(documents).map(|chain| chain.facts)
    }

    fn refusal(&self, documents: &ChainDocuments) -> String {
        self.facts(documents).unwrap_err().to_string()
    }

    /// The rule that denies, or `None` when the run is allowed; by decision and derivation.
    fn denies(&self, documents: &ChainDocuments) -> Option<Rule> {
        let facts = self.facts(documents).unwrap();
        let rule = decide(&facts).err().map(|d| d.rule);
        let told = explain(&facts).into_iter().find(|s| !s.satisfied).map(|s| s.rule);
        assert_eq!(rule, told);
        rule
    }
}
