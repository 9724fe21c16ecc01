//! The chain: the documents of one run order, turned into the facts that [`domain::decide()`] decides
//! on.
//!
//! Every document in the order must be valid and about this run; one that is not refuses the order
//! by name, because a chain that is only partly right was made by somebody who is confused or
//! hostile. Whether the valid ones suffice is `decide`'s question, not asked here. What is not in
//! the order's power (time, what is spent, what is in force) comes in [`Local`]. Each payload is
//! parsed once; what else is needed from it comes in [`ChainFacts`].

mod advice;
mod error;
mod negatives;
mod owed;
mod statements;

use domain::decide::{SelfServeRun, StopSubject, TargetRules};
use domain::{BundleIndex, Digest, Facts, Manifest, Pair, RunnerName, Timestamp};
use serde::{Deserialize, Serialize};

pub use advice::{Advice, OnFile, Wish, advise};
pub use error::ChainError;
pub use negatives::{Said, negatives};
pub use owed::OwedAfterReview;
use statements::Chain;

use crate::authority::Authority;
use crate::documents::PolicyTarget;
use crate::envelope::Envelope;
use crate::negative::{InForce, Negative};

/// Documents of one kind in an order; more is an attack on the runner's time.
pub const DOCUMENTS_MAX: usize = 64;

/// The signed documents that come with one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainDocuments {
    /// The caller's order.
    pub run_request: Envelope,
    /// What it is an order under; `None` for self-serve.
    pub access_request: Option<Envelope>,
    /// Approvals of that access request.
    pub approvals: Vec<Envelope>,
    /// Submissions of the revision.
    pub submissions: Vec<Envelope>,
    /// Reviews of the revision.
    pub reviews: Vec<Envelope>,
    /// Stops; those that the runner knows already need not be repeated.
    pub stops: Vec<Envelope>,
    /// Lifts, as stops.
    pub lifts: Vec<Envelope>,
    /// Withdrawals of rejections, as stops.
    pub withdrawals: Vec<Envelope>,
    /// After-reviews of the caller's emergencies, as stops.
    pub after_reviews: Vec<Envelope>,
    /// What is in force, for production.
    pub status: Option<Envelope>,
    /// An earlier revision that had all its reviews, where policy asks less of a change of nothing
    /// but the component.
    pub base: Option<BaseDocuments>,
}

/// An earlier revision and who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseDocuments {
    /// Its `bundle.sha256`; the revision is the digest of this text.
    pub bundle: String,
    /// Its `script.toml`, as listed there.
    pub manifest: String,
    /// Its submissions.
    pub submissions: Vec<Envelope>,
    /// Its reviews.
    pub reviews: Vec<Envelope>,
}

/// What the runner knows by itself.
#[derive(Debug, Clone)]
pub struct Local<'a> {
    /// The trusted time.
    pub now: Timestamp,
    /// Who executes.
    pub runner: &'a RunnerName,
    /// The manifest out of the bundle.
    pub manifest: &'a Manifest,
    /// The bundle's list of files; its digest is the revision in hand.
    pub bundle: &'a BundleIndex,
    /// The digest of the input in hand.
    pub input: Digest,
    /// What arrived earlier against runs.
    pub in_force: &'a InForce,
    /// Whether the run id has been spent.
    pub run_id_spent: bool,
    /// Use numbers of this access request that have been spent.
    pub uses_spent: Vec<u64>,
    /// Runs of this revision that this caller, counted as a person, started without an approval in
    /// the last 24 hours.
    pub self_serve_runs: Vec<SelfServeRun>,
    /// Emergencies that somebody has to look at; those of other callers do not matter.
    pub owed: &'a [OwedAfterReview],
}

/// The facts, and what else the runner needs from the same documents.
#[derive(Debug)]
pub struct ChainFacts<'a> {
    /// What [`domain::decide()`] decides on.
    pub facts: Facts<'a>,
    /// The digest of the run request's payload.
    pub run_request: Digest,
    /// Everything whose stop must end the run: who and what it relies on, people also by the names
    /// under which they signed, and the keys.
    pub depends_on: Vec<StopSubject>,
    /// Rejections that came with the order, by their place in `reviews`; the runner keeps them.
    pub rejections: Vec<(usize, Negative)>,
}

/// Verifies every document and states the facts.
///
/// # Errors
/// The first document that is refused, and why.
pub fn facts<'a>(
    authority: &Authority,
    documents: &ChainDocuments,
    local: Local<'a>,
) -> Result<ChainFacts<'a>, ChainError> {
    authority.live(local.now).map_err(ChainError::Authority)?;
    let mut in_force = local.in_force.clone();
    for said in negatives(authority, documents, local.in_force)? {
        in_force.apply(said.negative);
    }
    let mut chain = Chain::new(authority, local.now, in_force);
    let revision = local.bundle.revision();

    let (run, caller) = chain.run_request(&documents.run_request, &local, revision)?;
    if run.doc().request.is_none() && documents.access_request.is_some() {
        return Err(ChainError::NotAsked { place: "the access request".to_owned() });
    }
    let named = run.doc().caller.clone();
    let request = chain.request_of(documents.access_request.as_ref(), &named, &local)?;
    let submissions = chain.submissions(&documents.submissions, revision)?;
    let (reviews, rejections) = chain.reviews(&documents.reviews, revision)?;
    let approvals = chain.approvals(&documents.approvals, run.doc().request)?;
    let base = match &documents.base {
        None => None,
        Some(base) => Some(chain.base(base, &local)?),
    };
    let after_reviews = chain.after_reviews(&documents.after_reviews)?;
    let status = chain.status(documents.status.as_ref())?;
    let after_reviews_overdue = chain.overdue(caller.counted(), local.owed, &after_reviews);
    let run_request = run.digest();
    let facts = Facts {
        now: local.now,
        run: statements::run_fact(&run, caller),
        manifest: local.manifest,
        submissions,
        reviews,
        rejections: chain.rejections_of(revision),
        base,
        request,
        approvals,
        stops: chain.in_force().stops().map(|(_, subject)| subject.clone()).collect(),
        status,
        targets: targets(authority, &run.doc().pairs),
        policy_version: authority.policy().version,
        self_serve_floor: authority.keyring().floors.self_serve,
        solo: authority.is_solo(),
        caller_groups: caller.groups.clone(),
        run_id_spent: local.run_id_spent,
        uses_spent: local.uses_spent,
        self_serve_runs: local.self_serve_runs,
        after_reviews_overdue,
    };
    let depends_on = chain.depends_on(&facts);
    Ok(ChainFacts { facts, run_request, depends_on, rejections })
}

/// The rules of the run's own targets: a policy may have a thousand.
fn targets(authority: &Authority, pairs: &[Pair]) -> Vec<TargetRules> {
    let mine = authority.policy().targets.iter();
    mine.filter(|t| pairs.iter().any(|p| p.target == t.id)).map(PolicyTarget::rules).collect()
}

#[cfg(test)]
mod tests;
