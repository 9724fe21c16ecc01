//! The bundle as the runner sees it: fetched by digest, hashed here, parsed once.
//!
//! What is executed is what was hashed: the component's bytes and the queries' texts never go back
//! to the store between check and use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::bundle::{BundleError, COMPONENT_PATH, MANIFEST_PATH};
use domain::manifest::ManifestError;
use domain::schema::{InputSchema, SchemaError};
use domain::{BundleIndex, BundlePath, Digest, Manifest, QueryName};

use crate::ports::{BlobError, Blobs};

/// A bundle whose bytes have the digests that the revision names.
#[derive(Debug)]
pub struct Bundle {
    /// The revision.
    pub revision: Digest,
    /// Its list of files.
    pub index: BundleIndex,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// Its component.
    pub component: Arc<[u8]>,
    /// The digest of the component.
    pub component_digest: Digest,
    /// The text of each query.
    pub queries: BTreeMap<QueryName, String>,
    /// What input must look like; `None` when the script takes none.
    pub schema: Option<InputSchema>,
}

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// A file is not there.
    #[error("{path} ({digest}) of the bundle is not in the blob store; submit the revision again")]
    Absent {
        /// The file.
        path: String,
        /// Its digest.
        digest: Digest,
    },
    /// A file was exchanged.
    #[error("{path} of the bundle is not what was reviewed: expected {expected}, got {got}")]
    Exchanged {
        /// The file.
        path: String,
        /// The digest that the revision names.
        expected: Digest,
        /// The digest of what the store gave.
        got: Digest,
    },
    /// The store cannot be read.
    #[error("the bundle cannot be fetched")]
    Blobs(#[from] BlobError),
    /// The list is malformed.
    #[error("the bundle's list is malformed")]
    Index(#[from] BundleError),
    /// The manifest is malformed.
    #[error("the bundle's manifest is malformed")]
    Manifest(#[from] ManifestError),
    /// The schema is malformed.
    #[error("the bundle's input schema is malformed")]
    Schema(#[from] SchemaError),
    /// A file that the manifest names is not in the bundle.
    #[error("the manifest names {0}, which is not in the bundle")]
    NotListed(BundlePath),
    /// A query is not text.
    #[error("{0} is not UTF-8")]
    NotText(BundlePath),
}

/// Fetches one blob and hashes it.
pub(crate) async fn fetch(
    blobs: &dyn Blobs,
    path: &str,
    expected: &Digest,
) -> Result<Vec<u8>, BundleFault> {
    let bytes = blobs.get(expected).await?;
    let bytes =
        bytes.ok_or_else(|| BundleFault::Absent { path: path.to_owned(), digest: *expected })?;
    let got = Digest::of(&bytes);
    if got == *expected {
        Ok(bytes)
    } else {
        Err(BundleFault::Exchanged { path: path.to_owned(), expected: *expected, got })
    }
}

/// Bytes of components that are kept in memory.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// Bundles that were fetched, hashed and parsed, by their revision: the same bytes need no second
/// look. What is kept here cannot be exchanged by whoever owns the blob store.
#[derive(Debug, Default)]
pub(crate) struct Bundles(Mutex<BTreeMap<Digest, Arc<Bundle>>>);

impl Bundles {
    /// The bundle of `revision`, fetched and checked when it is not here.
    pub(crate) async fn get(
        &self,
        blobs: &dyn Blobs,
        revision: &Digest,
    ) -> Result<Arc<Bundle>, BundleFault> {
        // Changed by single insertions and as a whole, so a panic elsewhere leaves it whole.
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().get(revision) {
            return Ok(Arc::clone(known));
        }
        let bundle = Arc::new(Bundle::load(blobs, revision).await?);
        let mut kept = kept();
        let bytes: usize = kept.values().map(|b| b.component.len()).sum();
        if bytes + bundle.component.len() > KEPT_BYTES_MAX {
            kept.clear();
        }
        kept.insert(*revision, Arc::clone(&bundle));
        Ok(bundle)
    }
}

impl Bundle {
    /// Fetches and checks everything that a run of `revision` needs.
    ///
    /// # Errors
    /// Names the first file that is absent, exchanged or malformed.
    pub async fn load(blobs: &dyn Blobs, revision: &Digest) -> Result<Self, BundleFault> {
        let index = fetch(blobs, domain::bundle::INDEX_PATH, revision).await?;
        let index = BundleIndex::parse(&index)?;
        let listed = |path: &str| {
            let missing = if path == COMPONENT_PATH { COMPONENT_PATH } else { MANIFEST_PATH };
            index.get(path).copied().ok_or(BundleError::Missing(missing))
        };
        let manifest = fetch(blobs, MANIFEST_PATH, &listed(MANIFEST_PATH)?).await?;
        let manifest = Manifest::parse(&manifest)?;
        let component_digest = listed(COMPONENT_PATH)?;
        let component = fetch(blobs, COMPONENT_PATH, &component_digest).await?;
        let named = |path: &BundlePath| {
            index.get(path.as_str()).copied().ok_or_else(|| BundleFault::NotListed(path.clone()))
        };
        let mut queries = BTreeMap::new();
        for query in &manifest.queries {
            let bytes = fetch(blobs, query.file.as_str(), &named(&query.file)?).await?;
            let text =
                String::from_utf8(bytes).map_err(|_| BundleFault::NotText(query.file.clone()))?;
            queries.insert(query.name.clone(), text);
        }
        let schema = match &manifest.input {
            None => None,
            Some(path) => {
                let bytes = fetch(blobs, path.as_str(), &named(path)?).await?;
                Some(InputSchema::parse(&bytes)?)
            }
        };
        Ok(Self {
            revision: *revision,
            index,
            manifest: Arc::new(manifest),
            component: component.into(),
            component_digest,
            queries,
            schema,
        })
    }

    /// Checks an input: it fits the schema, and has what the queries take from it. A script without
    /// schema takes exactly `{}`.
    ///
    /// # Errors
    /// Says where it does not fit.
    pub fn check_input(&self, input: &[u8]) -> Result<(), String> {
        let Some(schema) = &self.schema else {
            let problem = "this script takes no input; send exactly {}";
            return if input == b"{}" { Ok(()) } else { Err(problem.to_owned()) };
        };
        let json = schema.validate(input).map_err(|e| e.to_string())?;
        self.manifest
            .queries
            .iter()
            .try_for_each(|q| q.check_input(Some(&json)))
            .map_err(|e| e.to_string())
    }
}
