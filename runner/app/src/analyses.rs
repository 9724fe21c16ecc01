//! Analyses: what reviewers saw that a revision's queries come to on a target, by digest; and the catalogs
//! that they are made from; and what planners expect.

use domain::analysis::ANALYSIS_BYTES_MAX;
use domain::{Analysis, Digest, TargetId};
use executor::{NoPlan, PlanOrder};
use store::DocumentKind;
use trust::{Document as _, Envelope, PlanRequest, Review};

use crate::documents::is_mine;
use crate::error::chain;
use crate::launch::INPUT_COSTS_MIN;
use crate::login::Who;
use crate::quota::Kind;
use crate::{App, AppError};

impl App {
    /// Keeps an analysis for the reviews that name it, and for the runner.
    ///
    /// # Errors
    /// When it is none, or this person has stored too much.
    pub async fn analysis(&self, who: &Who, bytes: &[u8]) -> Result<Digest, AppError> {
        self.writable()?;
        if bytes.len() > ANALYSIS_BYTES_MAX {
            let bytes_max = ANALYSIS_BYTES_MAX as u64;
            return Err(AppError::TooLarge { what: "the analysis".to_owned(), bytes_max });
        }
        Analysis::parse(bytes)?;
        let costs = (bytes.len() as u64).max(INPUT_COSTS_MIN);
        self.quotas.take(&who.person, Kind::UploadBytes, costs, self.clock.now_ms())?;
        Ok(self.blobs.put(bytes).await?)
    }

    /// An analysis that somebody has stored.
    ///
    /// # Errors
    /// When there is none.
    pub async fn stored_analysis(&self, digest: &Digest) -> Result<Vec<u8>, AppError> {
        let absent = || AppError::NotFound(format!("analysis {digest}"));
        let bytes = self.blobs.get(digest).await?.ok_or_else(absent)?;
        // Files of revisions and inputs have digests, too, and rules of their own.
        Analysis::parse(&bytes).map_err(|_| absent())?;
        Ok(bytes)
    }

    /// The catalog of a target, from the runner, for those who have a say there.
    ///
    /// # Errors
    /// When this person has none, or the runner gives it to nobody now.
    pub async fn catalog(&self, who: &Who, target: &TargetId) -> Result<Vec<u8>, AppError> {
        let (adopted, groups) = (self.adopted(), self.groups(&who.person));
        let policy = adopted.authority.target(target);
        let policy = policy.ok_or_else(|| AppError::NotFound(format!("target {target}")))?;
        let has_a_say = policy.reviews.admits(&groups)
            || policy.approvals.admits(&groups)
            || policy.callers.iter().any(|g| groups.contains(g));
        if !has_a_say {
            return Err(AppError::Forbidden {
                what: format!("{} is in no group that reviews, approves or runs there", who.person),
                help: "ask somebody who is; the policy names the groups of each target",
            });
        }
        let catalog = self.runner.catalog(target, &who.person).await?;
        // That it was read is on record by now; so is it listed.
        self.project().await?;
        Ok(catalog)
    }

    /// What a target's planner expects of a revision's queries, by a signed plan request.
    ///
    /// # Errors
    /// When the request is not this person's or not valid, or the runner asks nobody now.
    pub async fn plan(&self, who: &Who, envelope: &[u8]) -> Result<Vec<u8>, AppError> {
        let refused = |problem: String| AppError::document(PlanRequest::DOC, problem);
        let request = Envelope::from_json(envelope).map_err(|e| refused(e.to_string()))?;
        let doc: PlanRequest =
            trust::read_unverified(&request).map_err(|e| refused(e.problem.to_string()))?;
        is_mine(PlanRequest::DOC, &doc.person, who)?;
        let submissions =
            self.store.documents_of_revision(DocumentKind::Submission, &doc.revision).await?;
        let read = |d: store::Document| Envelope::from_json(&d.envelope).ok();
        let submissions = submissions.into_iter().filter_map(read).collect();
        let order = serde_json::to_vec(&PlanOrder { request, submissions }).unwrap_or_default();
        let plan = self.runner.plan(order).await.map_err(|e| match e {
            NoPlan::Malformed(_) | NoPlan::Invalid(_) | NoPlan::Refused(_) => refused(chain(&e)),
            NoPlan::NotAllowed(..) => AppError::Forbidden {
                what: e.to_string(),
                help: "the policy names the groups of each target",
            },
            other => AppError::NoPlan(other),
        })?;
        self.project().await?;
        Ok(plan)
    }

    /// A review of an analysis that nobody has would count, and no run could be held to it.
    pub(crate) async fn analyses_are_kept(&self, review: &Review) -> Result<(), AppError> {
        for (i, seen) in review.analysis.iter().enumerate() {
            if self.stored_analysis(&seen.digest).await.is_err() {
                let problem = format!(
                    "field `analysis.{i}`: there is no analysis {}; store it first",
                    seen.digest
                );
                return Err(AppError::document(Review::DOC, problem));
            }
        }
        Ok(())
    }
}
