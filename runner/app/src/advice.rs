//! Advice: what the runner would say about an access request now.
//!
//! The same `decide()`, over facts from the same documents, for a run that nobody has ordered yet.
//! Documents that do not verify give no facts here; in an order they make the runner refuse it. It
//! shows people what is missing, and nothing relies on it.

use domain::decide::{
    ApprovalFact, Facts, InputRule, RequestFact, ReviewFact, RunFact, SubmissionFact, Window,
};
use domain::{Digest, GroupName, Manifest, Pair, PersonId, RequestId, RunId};
use store::{Document, DocumentKind, Filter};
use trust::{
    AccessRequest, Approval, Document as Signed, Envelope, Review, RunRequest, Submission, Verified,
};

use crate::stops::Stops;
use crate::{App, AppError};

/// Seconds that the imagined run request lives.
const RUN_REQUEST_LIFE_S: i64 = 60;

/// Everything on file that belongs to one access request.
pub(crate) struct Belongs {
    pub(crate) submissions: Vec<Document>,
    pub(crate) reviews: Vec<Document>,
    pub(crate) approvals: Vec<Document>,
}

impl App {
    pub(crate) async fn belongs(
        &self,
        revision: &Digest,
        request: &RequestId,
    ) -> Result<Belongs, AppError> {
        let (store, submission) = (&self.store, DocumentKind::Submission);
        Ok(Belongs {
            submissions: store.documents_of_revision(submission, revision).await?,
            reviews: store.documents_of_revision(DocumentKind::Review, revision).await?,
            approvals: store.documents_of_request(DocumentKind::Approval, request).await?,
        })
    }

    /// Numbers of an access request's uses that were started, sorted.
    pub(crate) async fn uses_spent(&self, request: &RequestId) -> Result<Vec<u64>, AppError> {
        let filter = of_request(DocumentKind::RunRequest, request);
        // All of them: a use that is left out would be taken for unspent.
        let spent = self.store.documents_all(&filter).await?;
        let number = |d: &Document| Some(unverified::<RunRequest>(d)?.use_number);
        let mut numbers: Vec<u64> = spent.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The manifest of a submitted revision; `None` when it is not submitted or its files are gone.
    pub(crate) async fn manifest(&self, revision: &Digest) -> Result<Option<Manifest>, AppError> {
        let path = domain::bundle::MANIFEST_PATH.parse()?;
        let Some(file) = self.store.file(revision, &path).await? else {
            return Ok(None);
        };
        let Some(bytes) = self.blobs.get(&file.digest).await? else {
            return Ok(None);
        };
        Ok(Manifest::parse(&bytes).ok())
    }

    /// The facts about the next use of an access request.
    pub(crate) fn advisory_facts<'m>(
        &self,
        access: &AccessRequest,
        digest: Digest,
        belongs: &Belongs,
        uses_spent: &[u64],
        stops: &Stops,
        manifest: &'m Manifest,
    ) -> Facts<'m> {
        let pairs: Vec<Pair> = access.scope.pairs().collect();
        let request = access.scope.capabilities().ok().map(|scope| RequestFact {
            id: access.header.id.clone(),
            digest,
            caller: self.counted(&access.caller),
            revision: access.revision,
            scope,
            input: access.input.clone(),
            window: usable(access),
            duration_s: access.duration_s,
            uses: access.uses,
            break_glass: access.break_glass,
        });
        let policy = self.authority.policy();
        Facts {
            now: self.clock.now(),
            run: self.imagined_run(access, digest, pairs, uses_spent),
            manifest,
            submissions: self.submission_facts(&belongs.submissions, stops),
            reviews: self.review_facts(&belongs.reviews, stops),
            rejections: Vec::new(),
            base: None,
            request,
            approvals: self.approval_facts(&belongs.approvals, stops),
            stops: stops.subjects.clone(),
            status: None,
            targets: policy.targets.iter().map(trust::PolicyTarget::rules).collect(),
            policy_version: policy.version,
            self_serve_floor: self.authority.keyring().floors.self_serve,
            solo: self.authority.is_solo(),
            caller_groups: self.groups(&access.caller).to_owned(),
            run_id_spent: false,
            uses_spent: uses_spent.to_vec(),
            self_serve_runs: Vec::new(),
            after_reviews_overdue: Vec::new(),
        }
    }

    fn submission_facts(&self, documents: &[Document], stops: &Stops) -> Vec<SubmissionFact> {
        self.verified_all(documents, stops, |v: &Verified<Submission>| {
            let doc = v.doc();
            Some(SubmissionFact { id: doc.header.id.clone(), author: self.counted(&doc.author) })
        })
    }

    fn review_facts(&self, documents: &[Document], stops: &Stops) -> Vec<ReviewFact> {
        self.verified_all(documents, stops, |v: &Verified<Review>| {
            let d = v.doc();
            Some(ReviewFact {
                id: d.header.id.clone(),
                digest: v.digest(),
                reviewer: self.counted(&d.reviewer),
                human: self.is_human(&d.reviewer),
                groups: self.groups(&d.reviewer).to_owned(),
                verdict: d.verdict,
                ceiling: d.ceiling.capabilities().ok()?,
                self_serve: d.self_serve.clone(),
                window: d.header.window(),
            })
        })
    }

    fn approval_facts(&self, documents: &[Document], stops: &Stops) -> Vec<ApprovalFact> {
        self.verified_all(documents, stops, |v: &Verified<Approval>| {
            let d = v.doc();
            Some(ApprovalFact {
                id: d.header.id.clone(),
                approver: self.counted(&d.approver),
                human: self.is_human(&d.approver),
                groups: self.groups(&d.approver).to_owned(),
                request: d.request,
                reviews: d.reviews.clone(),
                policy_version: d.policy.version,
                scope: d.scope.capabilities().ok()?,
                window: d.header.window(),
            })
        })
    }

    /// The run request that the caller would sign next.
    fn imagined_run(
        &self,
        access: &AccessRequest,
        digest: Digest,
        pairs: Vec<Pair>,
        uses_spent: &[u64],
    ) -> RunFact {
        let now = self.clock.now();
        RunFact {
            id: RunId::new(&*self.clock, &*self.entropy),
            caller: self.counted(&access.caller),
            revision: access.revision,
            request: Some(digest),
            runner: access.runner.clone(),
            pairs,
            input: match &access.input {
                InputRule::Exact { digest } => *digest,
                InputRule::Schema => Digest::of(b"{}"),
            },
            use_number: next_use(access.uses, uses_spent),
            window: Window { not_before: now, not_after: now.plus_s(RUN_REQUEST_LIFE_S) },
        }
    }

    /// Who is counted for a person: the owner of a service or agent.
    pub(crate) fn counted(&self, person: &PersonId) -> PersonId {
        self.authority.person(person).map_or(person, |p| p.counted()).clone()
    }

    pub(crate) fn is_human(&self, person: &PersonId) -> bool {
        self.authority.person(person).is_some_and(trust::Person::is_human)
    }

    /// A person's groups; none for somebody who is not in the directory.
    pub(crate) fn groups(&self, person: &PersonId) -> &[GroupName] {
        self.authority.person(person).map(|p| &p.groups[..]).unwrap_or_default()
    }

    /// The facts of those documents that verify.
    fn verified_all<D: Signed, F>(
        &self,
        documents: &[Document],
        stops: &Stops,
        fact: impl Fn(&Verified<D>) -> Option<F>,
    ) -> Vec<F> {
        let verified = |d: &Document| {
            let envelope = Envelope::from_json(&d.envelope).ok()?;
            self.authority.verify(&envelope, &stops.keys).ok()
        };
        documents.iter().filter_map(verified).filter_map(|v| fact(&v)).collect()
    }
}

fn of_request(kind: DocumentKind, request: &RequestId) -> Filter {
    Filter { kind: Some(kind), request: Some(request.clone()), ..Filter::default() }
}

/// When an access request may be used: in its window, while the document itself is valid.
pub(crate) fn usable(access: &AccessRequest) -> Window {
    Window {
        not_before: access.window.not_before.max(access.header.not_before),
        not_after: access.window.not_after.min(access.header.not_after),
    }
}

/// The lowest use number that is not spent; the last one when all are.
pub(crate) fn next_use(uses: u64, spent: &[u64]) -> u64 {
    (1..=uses).find(|n| !spent.contains(n)).unwrap_or(uses)
}

/// The document in a row that `App` wrote after verifying it; `None` for a tombstone.
pub(crate) fn unverified<D: Signed>(document: &Document) -> Option<D> {
    let envelope = Envelope::from_json(&document.envelope).ok()?;
    trust::read_unverified(&envelope).ok()
}
