//! Each kind of statement in an order: who may have made it, that it is about this run, and the fact
//! that it becomes.

use std::collections::BTreeSet;

use domain::bundle::MANIFEST_PATH;
use domain::decide::{
    ApprovalFact, BaseFact, RejectionFact, RequestFact, ReviewFact, RunFact, StatusFact,
    StatusPart, StopSubject, SubmissionFact, Window, difference,
};
use domain::{
    BundleIndex, Capabilities, Digest, Facts, Manifest, PersonId, RequestId, Scope, Timestamp,
};

use super::{BaseDocuments, ChainError, DOCUMENTS_MAX, Local, OwedAfterReview};
use crate::authority::Authority;
use crate::document::{Document, VersionRef};
use crate::documents::{
    AccessRequest, AfterReview, Approval, Person, Review, RunRequest, Submission,
};
use crate::envelope::Envelope;
use crate::negative::{InForce, Negative, Rejection};
use crate::verify::Verified;

/// One verified statement of a list.
struct One<'c, D> {
    place: String,
    verified: Verified<D>,
    person: &'c Person,
}

/// Verifies statements and remembers whose words and keys the run relies on.
pub(super) struct Chain<'c> {
    authority: &'c Authority,
    now: Timestamp,
    in_force: InForce,
    stopped_keys: BTreeSet<String>,
    people: BTreeSet<PersonId>,
    keys: BTreeSet<String>,
    revisions: BTreeSet<Digest>,
}

pub(super) fn run_fact(run: &Verified<RunRequest>, caller: &Person) -> RunFact {
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

pub(super) fn bounded(what: &'static str, list: &[Envelope]) -> Result<(), ChainError> {
    if list.len() > DOCUMENTS_MAX {
        return Err(ChainError::TooMany { what, got: list.len() });
    }
    Ok(())
}

impl<'c> Chain<'c> {
    pub(super) fn new(authority: &'c Authority, now: Timestamp, in_force: InForce) -> Self {
        let stopped_keys = in_force.stopped_keys();
        let (people, keys, revisions) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { authority, now, in_force, stopped_keys, people, keys, revisions }
    }

    pub(super) const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// Verifies one document and finds its signer in the directory.
    fn one<D: Document>(
        &mut self,
        place: &str,
        envelope: &Envelope,
        named: impl Fn(&D) -> &PersonId,
    ) -> Result<(Verified<D>, &'c Person), ChainError> {
        let refused = |error| ChainError::Document { place: place.to_owned(), error };
        let verified: Verified<D> =
            self.authority.verify(envelope, &self.stopped_keys).map_err(refused)?;
        let id = named(verified.doc());
        let person = self.authority.person(id).ok_or_else(|| {
            let key = verified.signers()[0].key.clone();
            refused(crate::document::error::<D>(crate::Problem::UnknownKey(key)))
        })?;
        // A stop of a human is `decide`'s; of a service or agent, only known here by its own id.
        if !person.is_human() && self.in_force.is_stopped(&person.id) {
            let (place, person) = (place.to_owned(), person.id.clone());
            return Err(ChainError::Stopped { place, person });
        }
        self.people.insert(person.id.clone());
        self.people.insert(person.counted().clone());
        self.keys.extend(verified.signers().iter().map(|s| s.key.as_str().to_owned()));
        Ok((verified, person))
    }

    fn many<D: Document>(
        &mut self,
        kind: &'static str,
        list: &[Envelope],
        named: impl Fn(&D) -> &PersonId,
    ) -> Result<Vec<One<'c, D>>, ChainError> {
        bounded(kind, list)?;
        let mut seen = BTreeSet::new();
        let mut out = Vec::with_capacity(list.len());
        for (i, envelope) in list.iter().enumerate() {
            let place = format!("{} {}", D::DOC, i + 1);
            if !seen.insert(envelope.payload_digest()) {
                return Err(ChainError::Twice { place });
            }
            let (verified, person) = self.one(&place, envelope, &named)?;
            out.push(One { place, verified, person });
        }
        Ok(out)
    }

    pub(super) fn run_request(
        &mut self,
        envelope: &Envelope,
        local: &Local<'_>,
        revision: Digest,
    ) -> Result<(Verified<RunRequest>, &'c Person), ChainError> {
        let place = "the run request";
        let (run, caller) = self.one(place, envelope, |d: &RunRequest| &d.caller)?;
        same(place, "revision", &revision, &run.doc().revision)?;
        same(place, "input", &local.input, &run.doc().input)?;
        same(place, "runner", local.runner, &run.doc().runner)?;
        Ok((run, caller))
    }

    /// The access request of `named`, who runs.
    pub(super) fn request_of(
        &mut self,
        envelope: Option<&Envelope>,
        named: &PersonId,
        local: &Local<'_>,
    ) -> Result<Option<RequestFact>, ChainError> {
        let place = "the access request";
        let Some(envelope) = envelope else { return Ok(None) };
        let (request, caller) = self.one(place, envelope, |d: &AccessRequest| &d.caller)?;
        let doc = request.doc();
        same(place, "runner", local.runner, &doc.runner)?;
        // Compared as named, too: an owner's grant is not their agent's.
        same(place, "caller", named, &doc.caller)?;
        Ok(Some(RequestFact {
            id: doc.header.id.clone(),
            digest: request.digest(),
            caller: caller.counted().clone(),
            revision: doc.revision,
            scope: capabilities::<AccessRequest>(place, &doc.scope)?,
            input: doc.input.clone(),
            window: both(doc.window, doc.header.window()),
            duration_s: doc.duration_s,
            uses: doc.uses,
            break_glass: doc.break_glass,
        }))
    }

    pub(super) fn submissions(
        &mut self,
        list: &[Envelope],
        revision: Digest,
    ) -> Result<Vec<SubmissionFact>, ChainError> {
        let mut facts = Vec::with_capacity(list.len());
        for one in self.many("submissions", list, |d: &Submission| &d.author)? {
            let doc = one.verified.doc();
            self.live(&one.place, &one.verified)?;
            same(&one.place, "revision", &revision, &doc.revision)?;
            let author = one.person.counted().clone();
            facts.push(SubmissionFact { id: doc.header.id.clone(), author });
        }
        Ok(facts)
    }

    /// The reviews that do not reject, and the rejections, which are in force from here on.
    #[expect(clippy::type_complexity, reason = "two lists that one caller takes apart at once")]
    pub(super) fn reviews(
        &mut self,
        list: &[Envelope],
        revision: Digest,
    ) -> Result<(Vec<ReviewFact>, Vec<(usize, Negative)>), ChainError> {
        let (mut facts, mut rejections) = (Vec::with_capacity(list.len()), Vec::new());
        let all = self.many("reviews", list, |d: &Review| &d.reviewer)?;
        for (i, One { place, verified, person }) in all.into_iter().enumerate() {
            let doc = verified.doc();
            same(&place, "revision", &revision, &doc.revision)?;
            if let Some(rejection) = Negative::of_review(&verified) {
                self.in_force.apply(rejection.clone());
                rejections.push((i, rejection));
                continue;
            }
            facts.push(ReviewFact {
                id: doc.header.id.clone(),
                digest: verified.digest(),
                reviewer: person.counted().clone(),
                human: person.is_human(),
                groups: person.groups.clone(),
                verdict: doc.verdict,
                ceiling: capabilities::<Review>(&place, &doc.ceiling)?,
                analyses: doc.analysis.iter().map(|a| (a.pair(), a.digest)).collect(),
                self_serve: doc.self_serve.clone(),
                window: doc.header.window(),
            });
        }
        Ok((facts, rejections))
    }

    pub(super) fn approvals(
        &mut self,
        list: &[Envelope],
        request: Option<Digest>,
    ) -> Result<Vec<ApprovalFact>, ChainError> {
        let mut facts = Vec::with_capacity(list.len());
        for One { place, verified, person } in
            self.many("approvals", list, |d: &Approval| &d.approver)?
        {
            let doc = verified.doc();
            let Some(request) = request else { return Err(ChainError::NotAsked { place }) };
            same(&place, "access request", &request, &doc.request)?;
            self.versions(&place, doc)?;
            facts.push(ApprovalFact {
                id: doc.header.id.clone(),
                approver: person.counted().clone(),
                human: person.is_human(),
                groups: person.groups.clone(),
                request: doc.request,
                reviews: doc.reviews.clone(),
                policy_version: doc.policy.version,
                scope: capabilities::<Approval>(&place, &doc.scope)?,
                window: doc.header.window(),
            });
        }
        Ok(facts)
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

    /// An earlier revision: its list is its identity, and the list names its manifest.
    pub(super) fn base(
        &mut self,
        base: &BaseDocuments,
        local: &Local<'_>,
    ) -> Result<BaseFact, ChainError> {
        let wrong = |what: String| ChainError::Base(what);
        let index = BundleIndex::parse(base.bundle.as_bytes()).map_err(|e| wrong(e.to_string()))?;
        if index.get(MANIFEST_PATH) != Some(&Digest::of(base.manifest.as_bytes())) {
            return Err(wrong("its manifest is not the one that its bundle.sha256 lists".into()));
        }
        let manifest =
            Manifest::parse(base.manifest.as_bytes()).map_err(|e| wrong(e.to_string()))?;
        let revision = index.revision();
        let submissions = self.submissions(&base.submissions, revision).map_err(|e| of_base(&e))?;
        let (reviews, _) = self.reviews(&base.reviews, revision).map_err(|e| of_base(&e))?;
        self.revisions.insert(revision);
        Ok(BaseFact {
            revision,
            submissions,
            reviews,
            rejections: self.rejections_of(revision),
            difference: difference((&index, &manifest), (local.bundle, local.manifest)),
        })
    }

    pub(super) fn rejections_of(&self, revision: Digest) -> Vec<RejectionFact> {
        let mine = self.in_force.rejections().filter(|(_, r)| r.revision == revision);
        let fact = |(digest, r): (&Digest, &Rejection)| {
            // Somebody who has left the directory is no reviewer any more.
            let person = self.authority.person(&r.reviewer)?;
            Some(RejectionFact {
                id: r.id.clone(),
                digest: *digest,
                reviewer: person.counted().clone(),
                human: person.is_human(),
                groups: person.groups.clone(),
                pairs: r.pairs.clone(),
            })
        };
        mine.filter_map(fact).collect()
    }

    pub(super) fn after_reviews(
        &mut self,
        list: &[Envelope],
    ) -> Result<Vec<Verified<AfterReview>>, ChainError> {
        let all = self.many("after-reviews", list, |d: &AfterReview| &d.reviewer)?;
        Ok(all.into_iter().map(|one| one.verified).collect())
    }

    /// The caller's emergencies that nobody has looked at in time.
    pub(super) fn overdue(
        &self,
        caller: &PersonId,
        owed: &[OwedAfterReview],
        brought: &[Verified<AfterReview>],
    ) -> Vec<RequestId> {
        let late = owed.iter().filter(|o| o.caller == *caller && o.due < self.now);
        let unpaid = late.filter(|o| {
            let about = brought.iter().filter(|a| a.doc().request == o.request);
            let more: Vec<PersonId> = about.map(|a| a.doc().reviewer.clone()).collect();
            !o.is_settled(self.authority, &more, &self.in_force)
        });
        unpaid.map(|o| o.request_id.clone()).collect()
    }

    pub(super) fn status(
        &mut self,
        envelope: Option<&Envelope>,
    ) -> Result<Option<StatusFact>, ChainError> {
        let Some(envelope) = envelope else { return Ok(None) };
        let status = self
            .authority
            .verify_status(envelope, &self.in_force)
            .map_err(|error| ChainError::Document { place: "the status".to_owned(), error })?;
        self.keys.extend(status.signers().iter().map(|s| s.key.as_str().to_owned()));
        let doc = status.doc();
        let parts = [
            (StatusPart::Keyring, doc.keyring == self.authority.keyring_ref()),
            (StatusPart::Directory, doc.directory == self.authority.directory_ref()),
            (StatusPart::Policy, doc.policy == self.authority.policy_ref()),
            (StatusPart::Stops, doc.stops == self.in_force.digest()),
        ];
        let differs = parts.into_iter().filter(|(_, same)| !same).map(|(part, _)| part).collect();
        let (id, window) = (doc.header.id.clone(), doc.header.window());
        Ok(Some(StatusFact { id, window, differs }))
    }

    pub(super) fn depends_on(self, facts: &Facts<'_>) -> Vec<StopSubject> {
        let mut all = vec![StopSubject::Everything, StopSubject::Revision(facts.run.revision)];
        all.extend(self.revisions.into_iter().map(StopSubject::Revision));
        all.extend(facts.request.iter().map(|r| StopSubject::Request(r.id.clone())));
        all.extend(facts.run.pairs.iter().map(|p| StopSubject::Target(p.target.clone())));
        all.extend(self.people.into_iter().map(StopSubject::Person));
        all.extend(self.keys.into_iter().map(StopSubject::Key));
        all
    }

    fn live<D: Document>(&self, place: &str, v: &Verified<D>) -> Result<(), ChainError> {
        let window = v.doc().window();
        if window.contains(self.now) {
            return Ok(());
        }
        let error = crate::document::error::<D>(crate::Problem::Window(window, self.now));
        Err(ChainError::Document { place: place.to_owned(), error })
    }
}

/// Which of two lists of reviews it was.
fn of_base(error: &ChainError) -> ChainError {
    ChainError::Base(error.to_string())
}

/// When both are open. A grant never outlives the document that asks for it.
fn both(a: Window, b: Window) -> Window {
    Window { not_before: a.not_before.max(b.not_before), not_after: a.not_after.min(b.not_after) }
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
