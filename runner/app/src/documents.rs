//! Filing signed documents: verified, checked against what exists, recorded, then projected.
//!
//! What is checked here keeps nonsense out and tells people early; the runner checks everything again
//! at every run. The same payload filed twice is the same document once. What is said
//! against runs goes to the runner, which records it ([`crate::against`]).

use domain::{Digest, PersonId, Scope};
use ledger::{Entry, Event};
use store::{Document, DocumentKind};
use trust::{
    AccessRequest, Approval, Document as Signed, Envelope, Negative, Review, Submission, Verified,
};

use crate::advice::unverified;
use crate::login::Who;
use crate::{App, AppError};

/// A document that is on file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Its id.
    pub id: String,
    /// The digest of its payload.
    pub digest: Digest,
}

/// An envelope with the bytes in which it came; these are what is recorded and stored.
pub(crate) struct Came<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) envelope: Envelope,
}

impl<'a> Came<'a> {
    pub(crate) fn parse(doc: &'static str, bytes: &'a [u8]) -> Result<Self, AppError> {
        let envelope = Envelope::from_json(bytes);
        let envelope = envelope.map_err(|e| AppError::document(doc, e.to_string()))?;
        Ok(Self { bytes, envelope })
    }
}

impl App {
    /// Files a submission. The revision's files must have been uploaded, and pass every check again.
    ///
    /// # Errors
    /// What is wrong with it; [`AppError::Conflict`] when the version belongs to another revision.
    pub async fn submit(&self, who: &Who, bytes: &[u8]) -> Result<Filed, AppError> {
        let came = Came::parse(Submission::DOC, bytes)?;
        let verified = self.verified(&came, who, |d: &Submission| &d.author)?;
        let doc = verified.doc();
        // A list that came without its files could name anybody's blobs, and they would be served.
        if !self.blobs.is_uploaded(&doc.revision).await? {
            return Err(about(
                Submission::DOC,
                "revision",
                "has not been uploaded; upload it first",
            ));
        }
        let checked = self.checked_bundle(&doc.revision).await?;
        let manifest = &checked.bundle.manifest;
        if manifest.name != doc.script || manifest.version != doc.version {
            let problem = format!(
                "names another script than script.toml: {}@{}",
                manifest.name, manifest.version
            );
            return Err(about(Submission::DOC, "script", &problem));
        }
        self.may_submit(doc)?;
        let _filing = self.filing.lock().await;
        self.version_is_free(&doc.script, &doc.version, &doc.revision).await?;
        let id = doc.header.id.clone();
        let event = Event::SubmissionAccepted { id: id.clone(), document: verified.digest() };
        self.record(&came, id.to_string(), event).await
    }

    /// A script's name belongs to its owners, where the policy names any.
    fn may_submit(&self, doc: &Submission) -> Result<(), AppError> {
        let adopted = self.adopted();
        let owned = adopted.authority.policy().scripts.iter().find(|s| s.name == doc.script);
        let groups = self.groups(&doc.author);
        match owned {
            Some(script) if !script.owners.iter().any(|g| groups.contains(g)) => {
                Err(AppError::Forbidden {
                    what: format!("{} does not own the script name {}", doc.author, doc.script),
                    help: "choose another name, or ask for membership in an owning group",
                })
            }
            _ => Ok(()),
        }
    }

    /// Files a review of a submitted revision.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn review(&self, who: &Who, bytes: &[u8]) -> Result<Filed, AppError> {
        let came = Came::parse(Review::DOC, bytes)?;
        let verified = self.verified(&came, who, |d: &Review| &d.reviewer)?;
        let doc = verified.doc();
        self.scope_is_asked_for(Review::DOC, "ceiling", &doc.revision, &doc.ceiling).await?;
        self.may_review(doc).await?;
        self.analyses_are_kept(doc).await?;
        let id = doc.header.id.clone();
        if Negative::of_review(&verified).is_some() {
            return self.reject(&came, id.to_string()).await;
        }
        let _filing = self.filing.lock().await;
        let event = Event::ReviewAccepted { id: id.clone(), document: verified.digest() };
        self.record(&came, id.to_string(), event).await
    }

    /// Files an access request for a submitted revision.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn request_access(&self, who: &Who, bytes: &[u8]) -> Result<Filed, AppError> {
        let came = Came::parse(AccessRequest::DOC, bytes)?;
        let verified = self.verified(&came, who, |d: &AccessRequest| &d.caller)?;
        let doc = verified.doc();
        self.scope_is_asked_for(AccessRequest::DOC, "scope", &doc.revision, &doc.scope).await?;
        if self.adopted().authority.runner_key(&doc.runner).is_none() {
            return Err(about(AccessRequest::DOC, "runner", "is no runner of the policy"));
        }
        let _filing = self.filing.lock().await;
        self.may_ask_for_more(who, doc.header.id.as_str()).await?;
        let id = doc.header.id.clone();
        let event = Event::RequestAccepted { id: id.clone(), document: verified.digest() };
        self.record(&came, id.to_string(), event).await
    }

    /// Files an approval of an access request that is on file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn approve(&self, who: &Who, bytes: &[u8]) -> Result<Filed, AppError> {
        let came = Came::parse(Approval::DOC, bytes)?;
        let verified = self.verified(&came, who, |d: &Approval| &d.approver)?;
        let doc = verified.doc();
        let request = self.on_file(DocumentKind::AccessRequest, &doc.request).await?;
        let request = request.filter(|r| r.id == doc.request_id.as_str());
        let access = request.and_then(|r| unverified::<AccessRequest>(&r));
        let Some(access) = access else {
            return Err(about(Approval::DOC, "request", "is no access request on file"));
        };
        self.may_approve(&doc.approver, &access)?;
        self.versions_are_known(doc)?;
        for review in &doc.reviews {
            if self.on_file(DocumentKind::Review, review).await?.is_none() {
                let problem = format!("names {review}, which is no review on file");
                return Err(about(Approval::DOC, "reviews", &problem));
            }
        }
        let _filing = self.filing.lock().await;
        let id = doc.header.id.clone();
        let event = Event::ApprovalAccepted { id: id.clone(), document: verified.digest() };
        self.record(&came, id.to_string(), event).await
    }

    /// The runner refuses a whole order because of one approval that relied on versions that it does
    /// not have; so nobody puts one on file, for whosever access request.
    fn versions_are_known(&self, doc: &Approval) -> Result<(), AppError> {
        let adopted = self.adopted();
        let authority = &adopted.authority;
        let versions = [
            ("keyring", doc.keyring, authority.keyring_ref()),
            ("directory", doc.directory, authority.directory_ref()),
            ("policy", doc.policy, authority.policy_ref()),
        ];
        for (field, relied_on, have) in versions {
            let older = relied_on.version < have.version;
            if !older && relied_on != have {
                return Err(about(Approval::DOC, field, "is not the one in force here, nor older"));
            }
        }
        Ok(())
    }

    /// Verifies a document and that it is the caller's own and valid now.
    pub(crate) fn verified<D: Signed>(
        &self,
        came: &Came<'_>,
        who: &Who,
        named: impl Fn(&D) -> &PersonId,
    ) -> Result<Verified<D>, AppError> {
        self.writable()?;
        let verified: Verified<D> = self
            .adopted()
            .authority
            .verify(&came.envelope, &self.in_force_against().stopped_keys())
            .and_then(|v: Verified<D>| v.live(self.clock.now()))
            .map_err(|e| AppError::document(D::DOC, e.problem.to_string()))?;
        is_mine(D::DOC, named(verified.doc()), who)?;
        Ok(verified)
    }

    /// Whether a scope stays within what the revision's manifest asks for.
    async fn scope_is_asked_for(
        &self,
        doc: &'static str,
        field: &'static str,
        revision: &Digest,
        scope: &Scope,
    ) -> Result<(), AppError> {
        let Some(manifest) = self.manifest(revision).await? else {
            return Err(about(doc, "revision", "has not been submitted"));
        };
        let wanted = scope.capabilities().map_err(|e| about(doc, field, &e.to_string()))?;
        let pairs: Vec<_> = scope.pairs().collect();
        if let Some(pair) = pairs.iter().find(|p| !manifest.targets.contains_key(&p.logical)) {
            let problem = format!("names {}, which is no target of the script", pair.logical);
            return Err(about(doc, field, &problem));
        }
        let adopted = self.adopted();
        if let Some(pair) = pairs.iter().find(|p| adopted.authority.target(&p.target).is_none()) {
            let problem = format!("names {}, which is no target of the policy", pair.target);
            return Err(about(doc, field, &problem));
        }
        if wanted.within(&manifest.asks(&pairs)) {
            Ok(())
        } else {
            Err(about(doc, field, "is wider than what script.toml asks for"))
        }
    }

    /// The one place where a person's document becomes part of the record; `filing` is held.
    async fn record(&self, came: &Came<'_>, id: String, event: Event) -> Result<Filed, AppError> {
        let filed = Filed { id, digest: came.envelope.payload_digest() };
        if self.is_filed(&filed).await? {
            return Ok(filed);
        }
        // If we die before this returns, nobody was told that it is on file; after it, the next start
        // projects it.
        self.ledger.append_durable(Entry::new(event, came.bytes)).await?;
        self.project().await?;
        Ok(filed)
    }

    /// Whether exactly this document is on file.
    pub(crate) async fn is_filed(&self, filed: &Filed) -> Result<bool, AppError> {
        match self.store.document(&filed.id).await? {
            None => Ok(false),
            Some(other) if other.digest == filed.digest => Ok(true),
            Some(other) => {
                Err(AppError::Conflict { what: filed.id.clone(), existing: other.digest })
            }
        }
    }

    async fn on_file(
        &self,
        kind: DocumentKind,
        digest: &Digest,
    ) -> Result<Option<Document>, AppError> {
        let document = self.store.document_by_digest(digest).await?;
        Ok(document.filter(|d| d.kind == kind))
    }
}

/// A person files only what that person signed.
pub(crate) fn is_mine(doc: &'static str, named: &PersonId, who: &Who) -> Result<(), AppError> {
    if *named == who.person {
        return Ok(());
    }
    Err(AppError::Forbidden {
        what: format!("the {doc} is {named}'s, and {} is logged in", who.person),
        help: "everybody files documents of their own",
    })
}

pub(crate) fn about(doc: &'static str, field: &str, problem: &str) -> AppError {
    AppError::document(doc, format!("`{field}` {problem}"))
}
