//! The control plane's blobs as the runner's port: bytes by digest, believed by nobody.

use async_trait::async_trait;
use domain::Digest;
use executor::ports::BlobError;

/// Serves files and inputs to the runner of the same process; the runner hashes what it gets.
#[derive(Debug, Clone)]
pub struct RunnerBlobs(store::Blobs);

impl RunnerBlobs {
    /// The port over `blobs`.
    #[must_use]
    pub const fn new(blobs: store::Blobs) -> Self {
        Self(blobs)
    }
}

#[async_trait]
impl executor::Blobs for RunnerBlobs {
    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        self.0.get(digest).await.map_err(|e| BlobError(crate::error::chain(&e)))
    }
}
