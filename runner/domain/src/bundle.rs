//! The bundle: which files a revision may have, and its identity.
//!
//! `bundle.sha256` lists every other file as `sha256sum` prints it, sorted by the bytes of the path;
//! the revision digest is the SHA-256 of that list. Reading files is the caller's.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::text::{is_slug, text_type};

/// The name of the list itself.
pub const INDEX_PATH: &str = "bundle.sha256";
/// The script's component.
pub const COMPONENT_PATH: &str = "component.wasm";
/// The manifest.
pub const MANIFEST_PATH: &str = "script.toml";
/// Files of one bundle, besides the index: more would not be read by a reviewer.
pub const FILES_MAX: usize = 64;
/// Bytes of a component; CPython guests have 18 MB.
pub const COMPONENT_BYTES_MAX: u64 = 32 << 20;
/// Bytes of all files together.
pub const BUNDLE_BYTES_MAX: u64 = 48 << 20;

text_type!(
    /// A path inside a bundle.
    BundlePath, "bundle path",
    "segments [a-z0-9][a-z0-9._-]* joined by /, at most 128 bytes",
    |s| s.len() <= 128 && s.split('/').all(|seg| is_slug(seg, b"._-", 128))
);

impl BundlePath {
    /// Whether bundles may have such a file at all.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        let s = self.as_str();
        let is_query = s
            .strip_prefix("queries/")
            .and_then(|f| f.strip_suffix(".sql"))
            .is_some_and(|stem| !stem.is_empty() && !stem.contains('/'));
        let fixed = [COMPONENT_PATH, MANIFEST_PATH, "input.schema.json", "source.tar", "readme.md"];
        fixed.contains(&s) || is_query || s.strip_prefix("fixtures/").is_some_and(|f| !f.is_empty())
    }
}

/// Why a set of files is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// A file that bundles do not have.
    #[error(
        "{0} is not a bundle file; allowed are component.wasm, script.toml, queries/*.sql, input.schema.json, source.tar, readme.md and fixtures/**"
    )]
    NotAllowed(BundlePath),
    /// A file that each bundle has.
    #[error("the bundle has no {0}")]
    Missing(&'static str),
    /// Too many files.
    #[error("the bundle has {0} files; at most {FILES_MAX} are allowed")]
    TooMany(usize),
    /// The list is not what `sha256sum` would print for sorted paths.
    #[error(
        "bundle.sha256, line {0}: expected 64 lower-case hex digits, two spaces, a path, sorted, no path twice, each line ended by LF"
    )]
    Line(usize),
    /// A listed file is not what was given, or the other way round.
    #[error("{path}: {problem}")]
    Differs {
        /// The file.
        path: BundlePath,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// The list of a bundle's files with their digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleIndex {
    files: BTreeMap<BundlePath, Digest>,
}

impl BundleIndex {
    /// The index of the given files.
    ///
    /// # Errors
    /// When a file is not allowed, one is missing, or there are too many.
    pub fn new(files: BTreeMap<BundlePath, Digest>) -> Result<Self, BundleError> {
        if files.len() > FILES_MAX {
            return Err(BundleError::TooMany(files.len()));
        }
        if let Some(path) = files.keys().find(|p| !p.is_allowed()) {
            return Err(BundleError::NotAllowed(path.clone()));
        }
        for required in [COMPONENT_PATH, MANIFEST_PATH] {
            if !files.keys().any(|p| p.as_str() == required) {
                return Err(BundleError::Missing(required));
            }
        }
        Ok(Self { files })
    }

    /// Parses `bundle.sha256`; accepts exactly the bytes that [`Self::to_bytes`] gives.
    ///
    /// # Errors
    /// Names the first line that is wrong, or what the file set lacks.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let text = std::str::from_utf8(bytes).map_err(|_| BundleError::Line(1))?;
        let mut files = BTreeMap::new();
        let mut last: Option<BundlePath> = None;
        for (i, line) in text.split_inclusive('\n').enumerate() {
            if i >= FILES_MAX {
                return Err(BundleError::TooMany(i + 1));
            }
            let bad = || BundleError::Line(i + 1);
            let (hex, path) =
                line.strip_suffix('\n').and_then(|l| l.split_once("  ")).ok_or_else(bad)?;
            let digest = Digest::from_hex(hex).map_err(|_| bad())?;
            let path: BundlePath = path.parse().map_err(|_| bad())?;
            if last.as_ref().is_some_and(|l| *l >= path) {
                return Err(bad());
            }
            last = Some(path.clone());
            files.insert(path, digest);
        }
        Self::new(files)
    }

    /// `bundle.sha256`, byte for byte.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines = self.files.iter().map(|(path, digest)| format!("{}  {path}\n", digest.hex()));
        lines.collect::<String>().into_bytes()
    }

    /// The revision's identity: the digest of [`Self::to_bytes`].
    #[must_use]
    pub fn revision(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// The files in the order of the list.
    pub fn files(&self) -> impl Iterator<Item = (&BundlePath, &Digest)> {
        self.files.iter()
    }

    /// The digest of one file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Digest> {
        self.files.iter().find_map(|(p, d)| (p.as_str() == path).then_some(d))
    }

    /// Checks that `given` is exactly the listed set with the listed digests.
    ///
    /// # Errors
    /// Names the first file that is absent, unlisted or different.
    pub fn check(&self, given: &BTreeMap<BundlePath, Digest>) -> Result<(), BundleError> {
        let differs =
            |path: &BundlePath, problem| BundleError::Differs { path: path.clone(), problem };
        for (path, digest) in &self.files {
            match given.get(path) {
                None => {
                    return Err(differs(path, "is listed in bundle.sha256 but was not given"));
                }
                Some(d) if d != digest => {
                    return Err(differs(path, "does not have the digest that bundle.sha256 lists"));
                }
                Some(_) => {}
            }
        }
        match given.keys().find(|p| !self.files.contains_key(*p)) {
            Some(path) => Err(differs(path, "is not listed in bundle.sha256")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
