//! The earlier revision that an order names where policy asks for fewer reviews of a script of which
//! nothing but the component has changed.

use domain::bundle::MANIFEST_PATH;
use domain::decide::difference;
use domain::{BundleIndex, Digest, Manifest, Pair};
use store::DocumentKind;
use trust::{BaseDocuments, Review, Submission};

use crate::{App, AppError};

/// Earlier revisions that are looked at, newest first.
const LOOKED_AT_MAX: usize = 16;

impl App {
    /// The newest other revision of the same script that differs in nothing else and has reviews;
    /// `None` also when no target of the run asks for less because of it.
    pub(crate) async fn base_of(
        &self,
        revision: &Digest,
        pairs: &[Pair],
    ) -> Result<Option<BaseDocuments>, AppError> {
        let adopted = self.adopted();
        let helps = |p: &Pair| {
            adopted.authority.target(&p.target).is_some_and(|t| t.reviews_unchanged.is_some())
        };
        if !pairs.iter().any(helps) {
            return Ok(None);
        }
        let Some(own) = self.store.revision(revision).await? else { return Ok(None) };
        let Some((index, manifest, _)) = self.listed(&own.index).await? else { return Ok(None) };
        let others = self.store.revisions(Some(&own.script)).await?;
        for other in others.iter().filter(|o| o.digest != *revision).take(LOOKED_AT_MAX) {
            let Some((earlier, was, text)) = self.listed(&other.index).await? else { continue };
            if difference((&earlier, &was), (&index, &manifest)).is_some() {
                continue;
            }
            let base = self.base_documents(&other.digest, &other.index, text).await?;
            if !base.reviews.is_empty() && !base.submissions.is_empty() {
                return Ok(Some(base));
            }
        }
        Ok(None)
    }

    async fn base_documents(
        &self,
        revision: &Digest,
        index: &[u8],
        manifest: String,
    ) -> Result<BaseDocuments, AppError> {
        let stopped = self.in_force_against().stopped_keys();
        let (store, submission) = (&self.store, DocumentKind::Submission);
        let submissions = store.documents_of_revision(submission, revision).await?;
        let reviews = store.documents_of_revision(DocumentKind::Review, revision).await?;
        Ok(BaseDocuments {
            // An index that parses is text.
            bundle: String::from_utf8_lossy(index).into_owned(),
            manifest,
            submissions: self.usable::<Submission>(&submissions, &stopped),
            reviews: self.usable::<Review>(&reviews, &stopped),
        })
    }

    /// A revision's list and manifest, the latter also as it is written; `None` when its files are
    /// gone.
    async fn listed(
        &self,
        index: &[u8],
    ) -> Result<Option<(BundleIndex, Manifest, String)>, AppError> {
        let Ok(index) = BundleIndex::parse(index) else { return Ok(None) };
        let Some(digest) = index.get(MANIFEST_PATH) else { return Ok(None) };
        let Some(bytes) = self.blobs.get(digest).await? else { return Ok(None) };
        let Ok(manifest) = Manifest::parse(&bytes) else { return Ok(None) };
        let text = String::from_utf8(bytes).ok();
        Ok(text.map(|text| (index, manifest, text)))
    }
}
