//! The chain: the documents of one run order, turned into the facts that [`domain::decide()`] decides
//! on.
//!
//! Every document in the order must be valid and about this run; one that is not refuses the order
//! by name, because a chain that is only partly right was made by somebody who is confused or
//! hostile. Whether the valid ones suffice is `decide`'s question, not asked here. What is not in
//! the order's power (time, what is spent, stops already known) comes in [`Local`].

mod error;

use std::collections::BTreeSet;

use domain::decide::{
    ApprovalFact, RequestFact, ReviewFact, RunFact, StopSubject, SubmissionFact, Window,
};
use domain::{
    Capabilities, Digest, Facts, GroupName, Manifest, PersonId, RunnerName, Scope, Timestamp,
};
use serde::{Deserialize, Serialize};

pub use error::ChainError;

use crate::authority::Authority;
use crate::document::{Document, VersionRef};
use crate::documents::{
    AccessRequest, Approval, Person, PolicyTarget, Review, RunRequest, Submission,
};
use crate::envelope::Envelope;
use crate::verify::Verified;

/// Documents of one kind in an order; more is an attack on the runner's time.
pub const DOCUMENTS_MAX: usize = 64;

/// The signed documents that come with one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainDocuments {
    /// The caller's order.
    pub run_request: Envelope,
    /// What it is an order under.
    pub access_request: Envelope,
    /// Approvals of that access request.
    pub approvals: Vec<Envelope>,
    /// Submissions of the revision.
    pub submissions: Vec<Envelope>,
    /// Reviews of the revision.
    pub reviews: Vec<Envelope>,
    /// Stops; those that the runner knows already need not be repeated.
    pub stops: Vec<Envelope>,
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
    /// The digest of the bundle in hand.
    pub revision: Digest,
    /// The digest of the input in hand.
    pub input: Digest,
    /// Stops that arrived earlier.
    pub stops: &'a [StopSubject],
    /// Whether the run id has been spent.
    pub run_id_spent: bool,
    /// Use numbers of this access request that have been spent.
    pub uses_spent: Vec<u64>,
}

/// Verifies every document and states the facts.
///
/// # Errors
/// The first document that is refused, and why.
pub fn facts<'a>(
    authority: &Authority,
    documents: &ChainDocuments,
    local: Local<'a>,
) -> Result<Facts<'a>, ChainError> {
    authority.live(local.now).map_err(ChainError::Authority)?;
    let stops = stops(authority, &documents.stops, local.stops)?;
    let chain = Chain { authority, local: &local, keys: stopped_keys(&stops), stops: &stops };

    let (run, caller) = chain.run_request(&documents.run_request)?;
    let (request_digest, request) = chain.access_request(&documents.access_request, run.doc())?;
    let submissions = chain.submissions(&documents.submissions)?;
    let reviews = chain.reviews(&documents.reviews)?;
    let approvals = chain.approvals(&documents.approvals, request_digest)?;

    let caller_groups = caller.groups.clone();
    let policy_version = authority.policy().version;
    let targets = authority.policy().targets.iter().map(PolicyTarget::rules).collect();
    let run = run_fact(&run, caller);
    Ok(Facts {
        now: local.now,
        run,
        manifest: local.manifest,
        submissions,
        reviews,
        request: Some(request),
        approvals,
        stops,
        targets,
        policy_version,
        caller_groups,
        run_id_spent: local.run_id_spent,
        uses_spent: local.uses_spent,
    })
}

fn run_fact(run: &Verified<RunRequest>, caller: &Person) -> RunFact {
    let doc = run.doc();
    RunFact {
        id: doc.run.clone(),
        caller: caller.counted().clone(),
        revision: doc.revision,
        request: doc.request,
        runner: doc.runner.clone(),
        pairs: doc.pairs.clone(),
        input: doc.input,
        use_number: doc.use_number,
        window: doc.header.window(),
    }
}

/// Verified stops of the order and those known already.
fn stops(
    authority: &Authority,
    documents: &[Envelope],
    known: &[StopSubject],
) -> Result<Vec<StopSubject>, ChainError> {
    bounded("stops", documents)?;
    let mut all = known.to_vec();
    for (i, envelope) in documents.iter().enumerate() {
        let place = format!("stop {}", i + 1);
        let stop = authority
            .verify_stop(envelope)
            .map_err(|error| ChainError::Document { place, error })?;
        all.push(stop.into_doc().subject);
    }
    Ok(all)
}

fn stopped_keys(stops: &[StopSubject]) -> BTreeSet<String> {
    let key = |s: &StopSubject| match s {
        StopSubject::Key(k) => Some(k.clone()),
        _ => None,
    };
    stops.iter().filter_map(key).collect()
}

fn bounded(what: &'static str, list: &[Envelope]) -> Result<(), ChainError> {
    if list.len() > DOCUMENTS_MAX {
        return Err(ChainError::TooMany { what, got: list.len() });
    }
    Ok(())
}

struct Chain<'c, 'a> {
    authority: &'c Authority,
    local: &'c Local<'a>,
    keys: BTreeSet<String>,
    stops: &'c [StopSubject],
}

impl<'c> Chain<'c, '_> {
    /// Verifies one document and finds its signer in the directory.
    fn one<D: Document>(
        &self,
        place: &str,
        envelope: &Envelope,
        named: impl Fn(&D) -> &PersonId,
    ) -> Result<(Verified<D>, &'c Person), ChainError> {
        let refused = |error| ChainError::Document { place: place.to_owned(), error };
        let verified: Verified<D> = self.authority.verify(envelope, &self.keys).map_err(refused)?;
        let id = named(verified.doc());
        let person = self.authority.person(id).ok_or_else(|| {
            let key = verified.signers()[0].key.clone();
            refused(crate::document::error::<D>(crate::Problem::UnknownKey(key)))
        })?;
        // A stop of a human is `decide`'s; of a service or agent, only known here by its own id.
        let stopped = |s: &StopSubject| matches!(s, StopSubject::Person(p) if *p == person.id);
        if !person.is_human() && self.stops.iter().any(stopped) {
            let (place, person) = (place.to_owned(), person.id.clone());
            return Err(ChainError::Stopped { place, person });
        }
        Ok((verified, person))
    }

    fn many<D: Document, F>(
        &self,
        kind: &'static str,
        list: &[Envelope],
        named: impl Fn(&D) -> &PersonId,
        mut fact: impl FnMut(&str, &Verified<D>, &Person) -> Result<F, ChainError>,
    ) -> Result<Vec<F>, ChainError> {
        bounded(kind, list)?;
        let mut seen = BTreeSet::new();
        let mut out = Vec::with_capacity(list.len());
        for (i, envelope) in list.iter().enumerate() {
            let place = format!("{} {}", D::DOC, i + 1);
            if !seen.insert(envelope.payload_digest()) {
                return Err(ChainError::Twice { place });
            }
            let (verified, person) = self.one(&place, envelope, &named)?;
            out.push(fact(&place, &verified, person)?);
        }
        Ok(out)
    }

    fn run_request(
        &self,
        envelope: &Envelope,
    ) -> Result<(Verified<RunRequest>, &'c Person), ChainError> {
        let place = "the run request";
        let (run, caller) = self.one(place, envelope, |d: &RunRequest| &d.caller)?;
        same(place, "revision", &self.local.revision, &run.doc().revision)?;
        same(place, "input", &self.local.input, &run.doc().input)?;
        same(place, "runner", self.local.runner, &run.doc().runner)?;
        Ok((run, caller))
    }

    fn access_request(
        &self,
        envelope: &Envelope,
        run: &RunRequest,
    ) -> Result<(Digest, RequestFact), ChainError> {
        let place = "the access request";
        let (request, caller) = self.one(place, envelope, |d: &AccessRequest| &d.caller)?;
        let doc = request.doc();
        same(place, "runner", self.local.runner, &doc.runner)?;
        // Compared as named, too: an owner's grant is not their agent's.
        same(place, "caller", &run.caller, &doc.caller)?;
        let fact = RequestFact {
            id: doc.header.id.clone(),
            digest: request.digest(),
            caller: caller.counted().clone(),
            revision: doc.revision,
            scope: capabilities::<AccessRequest>(place, &doc.scope)?,
            input: doc.input.clone(),
            window: both(doc.window, doc.header.window()),
            duration_s: doc.duration_s,
            uses: doc.uses,
        };
        Ok((request.digest(), fact))
    }

    fn submissions(&self, list: &[Envelope]) -> Result<Vec<SubmissionFact>, ChainError> {
        self.many(
            "submissions",
            list,
            |d: &Submission| &d.author,
            |place, submission, author| {
                self.live(place, submission)?;
                same(place, "revision", &self.local.revision, &submission.doc().revision)?;
                Ok(SubmissionFact { author: author.counted().clone() })
            },
        )
    }

    fn reviews(&self, list: &[Envelope]) -> Result<Vec<ReviewFact>, ChainError> {
        self.many(
            "reviews",
            list,
            |d: &Review| &d.reviewer,
            |place, review, reviewer| {
                let doc = review.doc();
                same(place, "revision", &self.local.revision, &doc.revision)?;
                Ok(ReviewFact {
                    id: doc.header.id.clone(),
                    digest: review.digest(),
                    reviewer: reviewer.counted().clone(),
                    human: reviewer.is_human(),
                    groups: groups(reviewer),
                    verdict: doc.verdict,
                    ceiling: capabilities::<Review>(place, &doc.ceiling)?,
                    window: doc.header.window(),
                })
            },
        )
    }

    fn approvals(
        &self,
        list: &[Envelope],
        request: Digest,
    ) -> Result<Vec<ApprovalFact>, ChainError> {
        self.many(
            "approvals",
            list,
            |d: &Approval| &d.approver,
            |place, approval, approver| {
                let doc = approval.doc();
                same(place, "access request", &request, &doc.request)?;
                self.versions(place, doc)?;
                Ok(ApprovalFact {
                    id: doc.header.id.clone(),
                    approver: approver.counted().clone(),
                    human: approver.is_human(),
                    groups: groups(approver),
                    request: doc.request,
                    reviews: doc.reviews.clone(),
                    policy_version: doc.policy.version,
                    scope: capabilities::<Approval>(place, &doc.scope)?,
                    window: doc.header.window(),
                })
            },
        )
    }

    /// An approval may have relied on older versions than ours, never on newer or different ones.
    fn versions(&self, place: &str, approval: &Approval) -> Result<(), ChainError> {
        let pairs: [(&'static str, VersionRef, VersionRef); 3] = [
            ("keyring", approval.keyring, self.authority.keyring_ref()),
            ("directory", approval.directory, self.authority.directory_ref()),
            ("policy", approval.policy, self.authority.policy_ref()),
        ];
        for (doc, got, have) in pairs {
            if got.version > have.version || (got.version == have.version && got != have) {
                let (got, have) = (got.version, have.version);
                return Err(ChainError::Version { place: place.to_owned(), doc, got, have });
            }
        }
        Ok(())
    }

    fn live<D: Document>(&self, place: &str, v: &Verified<D>) -> Result<(), ChainError> {
        let window = v.doc().window();
        if window.contains(self.local.now) {
            return Ok(());
        }
        let error = crate::document::error::<D>(crate::Problem::Window(window, self.local.now));
        Err(ChainError::Document { place: place.to_owned(), error })
    }
}

/// When both are open. A grant never outlives the document that asks for it.
fn both(a: Window, b: Window) -> Window {
    Window { not_before: a.not_before.max(b.not_before), not_after: a.not_after.min(b.not_after) }
}

fn groups(person: &Person) -> Vec<GroupName> {
    person.groups.clone()
}

/// A scope was checked when its document was read; an error here still refuses.
fn capabilities<D: Document>(place: &str, scope: &Scope) -> Result<Capabilities, ChainError> {
    scope.capabilities().map_err(|e| {
        let error = crate::document::error::<D>(crate::document::field("scope", e.to_string()));
        ChainError::Document { place: place.to_owned(), error }
    })
}

fn same<T: PartialEq + std::fmt::Display>(
    place: &str,
    what: &'static str,
    want: &T,
    got: &T,
) -> Result<(), ChainError> {
    if want == got {
        return Ok(());
    }
    let (want, got) = (want.to_string(), got.to_string());
    Err(ChainError::Unrelated { place: place.to_owned(), what, want, got })
}

#[cfg(test)]
mod tests;
