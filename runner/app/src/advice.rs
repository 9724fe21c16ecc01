//! Advice: what the runner would say about an access request now.
//!
//! The same `decide()`, over facts that are made by the same functions ([`trust::advise`]), for a run
//! that nobody has ordered yet. It shows people what is missing, and nothing relies on it.

use domain::decide::{InputRule, Window, decide, explain};
use domain::{BundleIndex, Denial, Digest, Facts, Manifest, Pair, RequestId, Rule, RunId};
use store::{Document, DocumentKind, Filter};
use trust::{
    AccessRequest, Approval, Document as Signed, Envelope, Local, OnFile, Review, RunRequest,
    Submission, Wish,
};

use crate::{App, AppError};

/// Everything on file that belongs to one access request, or to a run without one.
pub(crate) struct Belongs {
    pub(crate) submissions: Vec<Document>,
    pub(crate) reviews: Vec<Document>,
    pub(crate) approvals: Vec<Document>,
}

/// What an order carries of it.
pub(crate) struct Carried {
    pub(crate) submissions: Vec<Envelope>,
    pub(crate) reviews: Vec<Envelope>,
    pub(crate) approvals: Vec<Envelope>,
}

impl App {
    /// What an order carries now. Advice is about the same, or it would be about another run.
    pub(crate) fn carried(&self, belongs: &Belongs) -> Carried {
        let against = self.in_force_against();
        let stopped = against.stopped_keys();
        // The runner refuses an order with the word of a stopped service or agent, so that it would
        // block what others said.
        let speaks = |d: &&Document| {
            d.person.as_ref().is_none_or(|p| self.is_human(p) || !against.is_stopped(p))
        };
        let all =
            |documents: &[Document]| documents.iter().filter(speaks).cloned().collect::<Vec<_>>();
        Carried {
            submissions: self.usable::<Submission>(&belongs.submissions, &stopped),
            reviews: self.usable::<Review>(&all(&belongs.reviews), &stopped),
            approvals: self.usable::<Approval>(&all(&belongs.approvals), &stopped),
        }
    }

    pub(crate) async fn belongs(
        &self,
        revision: &Digest,
        request: Option<&RequestId>,
    ) -> Result<Belongs, AppError> {
        let (store, submission) = (&self.store, DocumentKind::Submission);
        Ok(Belongs {
            submissions: store.documents_of_revision(submission, revision).await?,
            reviews: store.documents_of_revision(DocumentKind::Review, revision).await?,
            approvals: match request {
                Some(id) => store.documents_of_request(DocumentKind::Approval, id).await?,
                None => Vec::new(),
            },
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

    /// What the runner would say about the next use of an access request.
    pub(crate) async fn advised(
        &self,
        document: &Document,
        access: &AccessRequest,
        belongs: &Belongs,
        uses_spent: &[u64],
    ) -> Result<Advised, AppError> {
        let revision = self.store.revision(&access.revision).await?;
        let index = revision.and_then(|r| BundleIndex::parse(&r.index).ok());
        let (Some(manifest), Some(index)) = (self.manifest(&access.revision).await?, index) else {
            return Ok(Advised::only(Denial::new(
                Rule::BundleInvalid,
                format!("the files of {} are gone", access.revision),
                "submit the revision again",
            )));
        };
        let pairs: Vec<Pair> = access.scope.pairs().collect();
        let base = self.base_of(&access.revision, &pairs).await?;
        let status = self.newest_status();
        let Ok(envelope) = Envelope::from_json(&document.envelope) else {
            return Ok(Advised::only(unreadable("the access request cannot be read")));
        };
        let wish = Wish {
            run: RunId::new(&*self.clock, &*self.entropy),
            caller: access.caller.clone(),
            pairs,
            use_number: next_use(access.uses, uses_spent),
            access_request: Some(&envelope),
        };
        let (in_force, owed) = (self.in_force_against(), self.runner.state().owed());
        let Carried { submissions, reviews, approvals } = self.carried(belongs);
        let file = OnFile {
            approvals: &approvals,
            submissions: &submissions,
            reviews: &reviews,
            after_reviews: &[],
            status: status.as_ref(),
            base: base.as_ref(),
        };
        let local = Local {
            now: self.clock.now(),
            runner: &access.runner,
            manifest: &manifest,
            bundle: &index,
            input: match &access.input {
                InputRule::Exact { digest } => *digest,
                InputRule::Schema => Digest::of(b"{}"),
            },
            in_force: &in_force,
            run_id_spent: false,
            uses_spent: uses_spent.to_vec(),
            self_serve_runs: Vec::new(),
            owed: &owed,
        };
        Ok(match trust::advise(&self.adopted().authority, &wish, file, local) {
            Ok(advice) => Advised {
                missing: decide(&advice.facts).err(),
                wants_approval: wants_approval(&advice.facts),
            },
            Err(e) => Advised::only(unreadable(&crate::chain(&e))),
        })
    }
}

/// What would come of an access request.
pub(crate) struct Advised {
    /// Why it would not run; `None`: it would.
    pub(crate) missing: Option<Denial>,
    /// Whether an approval is what people can help with.
    pub(crate) wants_approval: bool,
}

impl Advised {
    fn only(denial: Denial) -> Self {
        Self { missing: Some(denial), wants_approval: false }
    }
}

/// Whether nothing but approvals is missing, and the word on what is in force, which comes by itself.
fn wants_approval(facts: &Facts<'_>) -> bool {
    let mut wants = false;
    for step in explain(facts).iter().filter(|s| !s.satisfied) {
        match step.rule {
            Rule::ApprovalMissing => wants = true,
            Rule::StatusMissing | Rule::StatusExpired | Rule::StatusDiffers => {}
            _ => return false,
        }
    }
    wants
}

/// What an access request answers whose own documents are not valid.
fn unreadable(fact: &str) -> Denial {
    Denial::new(Rule::DocumentInvalid, fact, "file a new access request")
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
