//! A blob store in memory that its owner can rewrite, as an attacker with full access would.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::Digest;
use executor::Blobs;
use executor::ports::BlobError;

/// Blobs by the digest that they should have.
#[derive(Debug, Default)]
pub struct MemoryBlobs(Mutex<BTreeMap<Digest, Vec<u8>>>);

impl MemoryBlobs {
    fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores bytes under their digest.
    pub fn put(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.map().insert(digest, bytes.to_vec());
        digest
    }

    /// Stores other bytes under a digest: the attack.
    pub fn exchange(&self, digest: Digest, bytes: &[u8]) {
        self.map().insert(digest, bytes.to_vec());
    }

    /// Withholds a blob.
    pub fn withhold(&self, digest: &Digest) {
        self.map().remove(digest);
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        Ok(self.map().get(digest).cloned())
    }
}
