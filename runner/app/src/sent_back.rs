//! Revisions that reviewers sent back, for their authors: until a newer one is submitted, or the verdict
//! ends.

use std::collections::BTreeSet;

use domain::Digest;
use domain::decide::Verdict;
use store::{Document, DocumentKind, Revision};
use trust::Review;

use crate::advice::unverified;
use crate::login::Who;
use crate::{App, AppError};

/// A review that stands against a revision.
#[derive(Debug, Clone)]
pub struct SentBack {
    /// The revision.
    pub revision: Revision,
    /// The review, which says why.
    pub review: Document,
}

impl App {
    /// What stands against the newest revisions of this person's scripts.
    pub(crate) async fn sent_back(&self, who: &Who) -> Result<Vec<SentBack>, AppError> {
        let mut all = Vec::new();
        for revision in self.newest_revisions().await? {
            if self.is_author(&who.person, &revision.digest).await? {
                let standing = self.standing_against(&revision.digest).await?;
                let one = |review| SentBack { revision: revision.clone(), review };
                all.extend(standing.into_iter().map(one));
            }
        }
        Ok(all)
    }

    /// Of each script the revision that was submitted last: a newer one takes the place of those before.
    pub(crate) async fn newest_revisions(&self) -> Result<Vec<Revision>, AppError> {
        let mut seen = BTreeSet::new();
        let mut all = self.store.revisions(None).await?;
        all.retain(|revision| seen.insert(revision.script.clone()));
        Ok(all)
    }

    /// Reviews of a revision that want changes or reject it, and are neither over nor ended.
    pub(crate) async fn standing_against(
        &self,
        revision: &Digest,
    ) -> Result<Vec<Document>, AppError> {
        let documents = self.store.documents_of_revision(DocumentKind::Review, revision).await?;
        let reviews: Vec<(Document, Review)> =
            documents.into_iter().filter_map(|d| unverified(&d).map(|r| (d, r))).collect();
        let in_force = self.in_force_against();
        let now = self.clock.now();
        let stands = |(document, review): &&(Document, Review)| match review.verdict {
            Verdict::Approve => false,
            Verdict::Reject => in_force.rejections().any(|(digest, _)| *digest == document.digest),
            Verdict::RequestChanges => {
                review.header.window().contains(now)
                    && !reviews.iter().any(|(_, other)| supersedes(other, review))
            }
        };
        Ok(reviews.iter().filter(stands).map(|(document, _)| document.clone()).collect())
    }
}

/// Whether one person's review takes the place of another one of theirs, for all its targets.
fn supersedes(newer: &Review, older: &Review) -> bool {
    let age = |r: &Review| (r.header.not_before, r.header.id.clone());
    newer.verdict != Verdict::Reject
        && newer.reviewer == older.reviewer
        && age(newer) > age(older)
        && older.ceiling.pairs().all(|pair| newer.ceiling.pairs().any(|p| p == pair))
}
