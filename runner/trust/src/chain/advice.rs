//! Advice: the facts of a run that nobody has ordered yet, from the documents on file.
//!
//! The same facts as those of an order, by the same functions, with two differences. There is no run
//! request; somebody imagines one. And a document that an order must not carry is left out and named,
//! because what is on file was not put together for this run. Nothing relies on it: the runner makes
//! its own facts ([`super::facts`]).

use std::collections::BTreeSet;

use domain::decide::{RUN_REQUEST_LIFE_S_MAX, RunFact, Window};
use domain::{Digest, Facts, Pair, PersonId, RunId};

use super::statements::Chain;
use super::{BaseDocuments, ChainError, Local, targets};
use crate::authority::Authority;
use crate::envelope::Envelope;

/// The run that somebody has in mind, from now on.
#[derive(Debug, Clone)]
pub struct Wish<'d> {
    /// An id for it; no run will have it.
    pub run: RunId,
    /// Who would run, as named.
    pub caller: PersonId,
    /// The bindings.
    pub pairs: Vec<Pair>,
    /// Which use of the grant it would be; 0 for self-serve.
    pub use_number: u64,
    /// The access request; `None` for self-serve.
    pub access_request: Option<&'d Envelope>,
}

/// What is on file and could be about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnFile<'d> {
    /// Approvals of the access request.
    pub approvals: &'d [Envelope],
    /// Submissions of the revision.
    pub submissions: &'d [Envelope],
    /// Reviews of the revision.
    pub reviews: &'d [Envelope],
    /// After-reviews of the caller's emergencies.
    pub after_reviews: &'d [Envelope],
    /// What is in force.
    pub status: Option<&'d Envelope>,
    /// An earlier revision.
    pub base: Option<&'d BaseDocuments>,
}

/// The facts, and what did not become one.
#[derive(Debug)]
pub struct Advice<'a> {
    /// What [`domain::decide()`] and [`domain::explain()`] advise on.
    pub facts: Facts<'a>,
    /// Documents that were left out, and why an order must not carry them.
    pub left_out: Vec<ChainError>,
}

/// The facts about a wish. [`Local::in_force`] is what this party knows against runs,
/// [`Local::input`] the digest of the input that it would have.
///
/// # Errors
/// When keyring, directory or policy are out of their time, the caller is unknown, or the access
/// request itself is not valid.
pub fn advise<'a>(
    authority: &Authority,
    wish: &Wish<'_>,
    file: OnFile<'_>,
    local: Local<'a>,
) -> Result<Advice<'a>, ChainError> {
    authority.live(local.now).map_err(ChainError::Authority)?;
    let caller =
        authority.person(&wish.caller).ok_or_else(|| ChainError::Stranger(wish.caller.clone()))?;
    if !caller.is_human() && local.in_force.is_stopped(&caller.id) {
        let (place, person) = ("the run request".to_owned(), caller.id.clone());
        return Err(ChainError::Stopped { place, person });
    }
    let mut chain = Chain::new(authority, local.now, local.in_force.clone());
    let revision = local.bundle.revision();
    let request = chain.request_of(wish.access_request, &wish.caller, &local)?;
    let digest = request.as_ref().map(|r| r.digest);
    let mut left_out = Vec::new();

    let submissions = each(file.submissions, &mut left_out, |e| chain.submissions(e, revision));
    // An order hides no author, so this one refuses it.
    if let Some(at) = left_out.iter().position(|e| matches!(e, ChainError::Stopped { .. })) {
        return Err(left_out.swap_remove(at));
    }
    let reviews = each(file.reviews, &mut left_out, |e| chain.reviews(e, revision).map(|r| r.0));
    let approvals = each(file.approvals, &mut left_out, |e| chain.approvals(e, digest));
    let after = each(file.after_reviews, &mut left_out, |e| chain.after_reviews(e));
    let base = file.base.map(|base| chain.base(base, &local));
    let status = chain.status(file.status);
    let facts = Facts {
        now: local.now,
        run: run_fact(wish, caller.counted(), revision, digest, &local),
        manifest: local.manifest,
        submissions,
        reviews,
        rejections: chain.rejections_of(revision),
        base: base.and_then(|base| kept(base, &mut left_out)),
        request,
        approvals,
        stops: chain.in_force().stops().map(|(_, subject)| subject.clone()).collect(),
        status: kept(status, &mut left_out).flatten(),
        targets: targets(authority, &wish.pairs),
        policy_version: authority.policy().version,
        self_serve_floor: authority.keyring().floors.self_serve,
        solo: authority.is_solo(),
        caller_groups: caller.groups.clone(),
        run_id_spent: local.run_id_spent,
        uses_spent: local.uses_spent,
        self_serve_runs: local.self_serve_runs,
        after_reviews_overdue: chain.overdue(caller.counted(), local.owed, &after),
    };
    Ok(Advice { facts, left_out })
}

fn run_fact(
    wish: &Wish<'_>,
    counted: &PersonId,
    revision: Digest,
    request: Option<Digest>,
    local: &Local<'_>,
) -> RunFact {
    let not_after = local.now.plus_s(RUN_REQUEST_LIFE_S_MAX);
    RunFact {
        id: wish.run.clone(),
        caller: counted.clone(),
        revision,
        request,
        runner: local.runner.clone(),
        pairs: wish.pairs.clone(),
        input: local.input,
        use_number: wish.use_number,
        window: Window { not_before: local.now, not_after },
    }
}

/// One after the other by the rules of an order, each document once; those that break a rule are left
/// out.
fn each<F>(
    list: &[Envelope],
    left_out: &mut Vec<ChainError>,
    mut facts: impl FnMut(&[Envelope]) -> Result<Vec<F>, ChainError>,
) -> Vec<F> {
    let (mut seen, mut all) = (BTreeSet::new(), Vec::with_capacity(list.len()));
    for envelope in list {
        let digest = envelope.payload_digest();
        if seen.contains(&digest) {
            continue;
        }
        // Only one that is right takes the place of its copies.
        if let Some(facts) = kept(facts(std::slice::from_ref(envelope)), left_out) {
            seen.insert(digest);
            all.extend(facts);
        }
    }
    all
}

fn kept<T>(result: Result<T, ChainError>, left_out: &mut Vec<ChainError>) -> Option<T> {
    result.map_err(|e| left_out.push(e)).ok()
}
