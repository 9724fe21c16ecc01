//! Bundles at the client: read from a folder to submit, or fetched from a server to review.
//!
//! Whatever a signature will name is hashed here, from the bytes; a server's word about a digest is
//! never taken.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::bundle::{BUNDLE_BYTES_MAX, COMPONENT_PATH, INDEX_PATH, MANIFEST_PATH};
use domain::{BundleIndex, BundlePath, Digest, Manifest};

use crate::exit::Failure;

/// A bundle whose bytes were hashed here.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    /// The revision.
    pub(crate) revision: Digest,
    /// Its list.
    pub(crate) index: BundleIndex,
    /// Its manifest.
    pub(crate) manifest: Manifest,
    /// Its files.
    pub(crate) files: BTreeMap<BundlePath, Vec<u8>>,
}

impl Bundle {
    /// Checks that `files` are exactly what `index` lists, and parses the manifest.
    pub(crate) fn check(
        index: BundleIndex,
        files: BTreeMap<BundlePath, Vec<u8>>,
    ) -> anyhow::Result<Self> {
        let digests = files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes)));
        index.check(&digests.collect())?;
        let manifest = files.iter().find(|(path, _)| path.as_str() == MANIFEST_PATH);
        let manifest = manifest.with_context(|| format!("the bundle has no {MANIFEST_PATH}"))?;
        let manifest = Manifest::parse(manifest.1)?;
        Ok(Self { revision: index.revision(), index, manifest, files })
    }

    /// Reads the bundle in a folder; `bundle.sha256` there is not believed but made anew.
    pub(crate) fn read(dir: &Path) -> anyhow::Result<Self> {
        let mut files = BTreeMap::new();
        let mut total = 0;
        for (path, place) in listing(dir)? {
            let size = fs::metadata(&place)?.len();
            total += size;
            if total > BUNDLE_BYTES_MAX {
                return Err(Failure::usage(
                    format!(
                        "the files in {} have more than {BUNDLE_BYTES_MAX} bytes",
                        dir.display()
                    ),
                    "leave out what a reviewer does not need",
                )
                .into());
            }
            let bytes =
                fs::read(&place).with_context(|| format!("cannot read {}", place.display()))?;
            files.insert(path, bytes);
        }
        let digests = files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes)));
        let index = BundleIndex::new(digests.collect()).map_err(|e| {
            Failure::usage(
                format!("{}: {e}", dir.display()),
                "a bundle's folder holds the bundle's files and nothing else",
            )
        })?;
        Self::check(index, files)
    }

    /// The text of a file, for people; `None` when there is none.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let bytes = self.files.iter().find(|(p, _)| p.as_str() == path)?.1;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The digest of the component, of the bytes that were hashed here; of nothing when there is none.
    pub(crate) fn component_digest(&self) -> Digest {
        self.component().map_or_else(|_| Digest::of(b""), Digest::of)
    }

    /// The component's bytes.
    pub(crate) fn component(&self) -> anyhow::Result<&[u8]> {
        let found = self.files.iter().find(|(p, _)| p.as_str() == COMPONENT_PATH);
        Ok(found.with_context(|| format!("the bundle has no {COMPONENT_PATH}"))?.1)
    }
}

/// Writes `bundle.sha256` into the folder, so that `sha256sum -c bundle.sha256` works there.
pub(crate) fn write_index(dir: &Path, index: &BundleIndex) -> anyhow::Result<()> {
    let path = dir.join(INDEX_PATH);
    fs::write(&path, index.to_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

/// Every file under `dir` but the index, by its path in the bundle.
fn listing(dir: &Path) -> anyhow::Result<Vec<(BundlePath, PathBuf)>> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| {
            Failure::usage(
                format!("cannot list {}: {e}", folder.display()),
                "give the folder that holds component.wasm and script.toml",
            )
        })?;
        for entry in entries {
            let place = entry?.path();
            let relative = place.strip_prefix(dir).unwrap_or(&place);
            if place.is_dir() {
                folders.push(place);
                continue;
            }
            if relative == Path::new(INDEX_PATH) {
                continue;
            }
            let path: BundlePath = relative.to_string_lossy().parse().map_err(|e| {
                Failure::usage(
                    format!("{}: {e}", place.display()),
                    "a bundle's folder holds the bundle's files and nothing else",
                )
            })?;
            found.push((path, place));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
