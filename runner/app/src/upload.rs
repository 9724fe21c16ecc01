//! Uploading a revision: files to blobs as they come, then the checks, all of them again.
//!
//! Nothing is in the ledger yet: a revision becomes visible with its first submission, which runs the
//! same checks over the same blobs. What an upload that fails leaves behind is blobs that nobody
//! names; the quota bounds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::bundle::{
    BUNDLE_BYTES_MAX, COMPONENT_BYTES_MAX, COMPONENT_PATH, FILES_MAX, INDEX_PATH,
};
use domain::manifest::Engine;
use domain::schema::SCHEMA_BYTES_MAX;
use domain::{BundleIndex, BundlePath, Digest, PersonId, ScriptName, ScriptVersion};
use executor::bundle::Bundle;
use sandbox::Sandbox;
use store::BlobWriter;

use crate::blobs::RunnerBlobs;
use crate::login::Who;
use crate::quota::Kind;
use crate::{App, AppError, queries};

/// Bytes of `bundle.sha256`: 64 lines with the longest paths fit.
const INDEX_BYTES_MAX: u64 = 16 << 10;
/// Bytes of a manifest.
const MANIFEST_BYTES_MAX: u64 = 64 << 10;

/// Files of one bundle on their way in.
pub struct Upload {
    app: Arc<App>,
    person: PersonId,
    files: BTreeMap<BundlePath, (Digest, u64)>,
    index: Option<Digest>,
    bytes: u64,
    current: Option<(BundlePath, BlobWriter)>,
}

/// A revision that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Its identity.
    pub revision: Digest,
    /// The script's name.
    pub script: ScriptName,
    /// The script's version.
    pub version: ScriptVersion,
    /// What a reviewer will ask about; none of it refuses.
    pub warnings: Vec<String>,
}

impl App {
    /// Begins an upload.
    ///
    /// # Errors
    /// [`AppError::ReadOnly`] when nothing could be submitted anyway; [`AppError::Quota`].
    pub fn upload(self: &Arc<Self>, who: &Who) -> Result<Upload, AppError> {
        self.writable()?;
        self.quotas.take(&who.person, Kind::Uploads, 1, self.clock.now_ms())?;
        let (app, person) = (Arc::clone(self), who.person.clone());
        Ok(Upload { app, person, files: BTreeMap::new(), index: None, bytes: 0, current: None })
    }

    /// Reads a revision back from its blobs and runs every check that an upload runs.
    pub(crate) async fn checked_bundle(&self, revision: &Digest) -> Result<Checked, AppError> {
        let bundle = Bundle::load(&RunnerBlobs::new(self.blobs.clone()), revision).await?;
        let mut warnings = Vec::new();
        let targets = self.targets();
        for query in &bundle.manifest.queries {
            let text = bundle.queries.get(&query.name).map_or("", String::as_str);
            // The manifest was checked: every query's target has an engine.
            let engine = bundle.manifest.targets.get(&query.target).copied();
            let engine = engine.unwrap_or(Engine::Sqlite);
            warnings.extend(queries::check(query, engine, text, &targets)?);
        }
        let component = Arc::clone(&bundle.component);
        let facts = tokio::task::spawn_blocking(move || Sandbox::inspect(&component)).await;
        let facts =
            facts.map_err(|_| AppError::Bundle("its component cannot be read".to_owned()))??;
        let uses_sql = facts.interfaces().any(|i| i == "borescope:debug/sql");
        if uses_sql && bundle.manifest.queries.is_empty() {
            warnings.push("the component imports `sql`, but script.toml has no query".to_owned());
        }
        if !uses_sql && !bundle.manifest.queries.is_empty() {
            warnings.push(
                "script.toml has queries, but the component does not import `sql`".to_owned(),
            );
        }
        Ok(Checked { bundle, warnings })
    }
}

/// A bundle that passed every check.
pub(crate) struct Checked {
    pub(crate) bundle: Bundle,
    pub(crate) warnings: Vec<String>,
}

impl Upload {
    /// Begins the next file; `path` is its place in the bundle.
    ///
    /// # Errors
    /// When bundles have no such file, it came before, or there are too many.
    pub async fn begin(&mut self, path: &str) -> Result<(), AppError> {
        self.end().await?;
        let path: BundlePath = path.parse()?;
        let is_index = path.as_str() == INDEX_PATH;
        if !is_index && !path.is_allowed() {
            let problem = domain::bundle::BundleError::NotAllowed(path);
            return Err(AppError::Bundle(problem.to_string()));
        }
        if self.files.contains_key(&path) || (is_index && self.index.is_some()) {
            return Err(AppError::Bundle(format!("{path} came twice")));
        }
        if self.files.len() >= FILES_MAX && !is_index {
            return Err(AppError::Bundle(format!("it has more than {FILES_MAX} files")));
        }
        self.current = Some((path, self.app.blobs.writer().await?));
        Ok(())
    }

    /// Adds a piece of the file that was begun last.
    ///
    /// # Errors
    /// When the file or the whole becomes too large, or cannot be stored.
    pub async fn piece(&mut self, bytes: &[u8]) -> Result<(), AppError> {
        let Some((path, writer)) = &mut self.current else {
            return Err(AppError::BadRequest("bytes came before a file's name".to_owned()));
        };
        let max = bytes_max(path);
        if writer.bytes().saturating_add(bytes.len() as u64) > max {
            return Err(AppError::TooLarge { what: path.to_string(), bytes_max: max });
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > BUNDLE_BYTES_MAX {
            return Err(AppError::TooLarge {
                what: "the bundle".to_owned(),
                bytes_max: BUNDLE_BYTES_MAX,
            });
        }
        let (now_ms, bytes_new) = (self.app.clock.now_ms(), bytes.len() as u64);
        self.app.quotas.take(&self.person, Kind::UploadBytes, bytes_new, now_ms)?;
        Ok(writer.write(bytes).await?)
    }

    /// What came, as one digest: the same files sent again have the same, in whatever order and
    /// however the body was made.
    ///
    /// # Errors
    /// When the last file cannot be stored.
    pub async fn identity(&mut self) -> Result<Digest, AppError> {
        self.end().await?;
        let line =
            |(path, (digest, _)): (&BundlePath, &(Digest, u64))| format!("{path} {digest}\n");
        let mut text: String = self.files.iter().map(line).collect();
        text.extend(self.index.map(|index| index.to_string()));
        Ok(Digest::of(text.as_bytes()))
    }

    async fn end(&mut self) -> Result<(), AppError> {
        let Some((path, writer)) = self.current.take() else {
            return Ok(());
        };
        let (digest, bytes) = writer.finish(None).await?;
        if path.as_str() == INDEX_PATH {
            self.index = Some(digest);
        } else {
            self.files.insert(path, (digest, bytes));
        }
        Ok(())
    }

    /// Ends the upload and checks the whole.
    ///
    /// # Errors
    /// The first thing that is wrong; [`AppError::Conflict`] when the version belongs to another
    /// revision.
    pub async fn finish(mut self) -> Result<Uploaded, AppError> {
        self.end().await?;
        let wrong = |e: domain::bundle::BundleError| AppError::Bundle(e.to_string());
        let given: BTreeMap<_, _> =
            self.files.into_iter().map(|(p, (digest, _))| (p, digest)).collect();
        let index = BundleIndex::new(given.clone()).map_err(wrong)?;
        let sent = self.index.ok_or_else(|| AppError::Bundle(format!("it has no {INDEX_PATH}")))?;
        let revision = index.revision();
        if sent != revision {
            // The digests differ, so one of these two says where.
            let bytes = self.app.blobs.get(&sent).await?.unwrap_or_default();
            BundleIndex::parse(&bytes).map_err(wrong)?.check(&given).map_err(wrong)?;
            return Err(AppError::Bundle(format!(
                "{INDEX_PATH} does not list the files that came"
            )));
        }
        let checked = self.app.checked_bundle(&revision).await?;
        let manifest = &checked.bundle.manifest;
        self.app.version_is_free(&manifest.name, &manifest.version, &revision).await?;
        self.app.blobs.mark_uploaded(&revision).await?;
        Ok(Uploaded {
            revision,
            script: manifest.name.clone(),
            version: manifest.version.clone(),
            warnings: checked.warnings,
        })
    }
}

impl App {
    /// Refuses a version that belongs to another revision.
    pub(crate) async fn version_is_free(
        &self,
        script: &ScriptName,
        version: &ScriptVersion,
        revision: &Digest,
    ) -> Result<(), AppError> {
        match self.store.revision_by_version(script, version).await? {
            Some(other) if other.digest != *revision => Err(AppError::Conflict {
                what: format!("{script}@{version}"),
                existing: other.digest,
            }),
            _ => Ok(()),
        }
    }
}

fn bytes_max(path: &BundlePath) -> u64 {
    match path.as_str() {
        INDEX_PATH => INDEX_BYTES_MAX,
        COMPONENT_PATH => COMPONENT_BYTES_MAX,
        domain::bundle::MANIFEST_PATH => MANIFEST_BYTES_MAX,
        "input.schema.json" => SCHEMA_BYTES_MAX as u64,
        p if p.starts_with("queries/") => targets::sqlite::SQL_BYTES_MAX as u64,
        _ => BUNDLE_BYTES_MAX,
    }
}
