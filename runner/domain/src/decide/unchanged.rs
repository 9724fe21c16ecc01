//! What a reviewer would have to read again: everything that says which data a script reaches and how
//! much. Where only the component changed, a policy may ask for fewer reviews.

use std::collections::BTreeMap;

use crate::bundle::{BundleIndex, BundlePath};
use crate::digest::Digest;
use crate::manifest::Manifest;

/// The first difference between two revisions besides component, version and what does not run
/// (source, readme, fixtures); `None`: there is none.
#[must_use]
pub fn difference(
    earlier: (&BundleIndex, &Manifest),
    later: (&BundleIndex, &Manifest),
) -> Option<String> {
    let as_later = Manifest { version: later.1.version.clone(), ..earlier.1.clone() };
    if as_later != *later.1 {
        return Some("its manifest says something else".to_owned());
    }
    let (before, after) = (reaching(earlier.0), reaching(later.0));
    let mut paths = before.keys().chain(after.keys());
    let changed = paths.find(|path| before.get(*path) != after.get(*path));
    changed.map(|path| format!("{path} differs"))
}

/// The files that decide which data is reached.
fn reaching(index: &BundleIndex) -> BTreeMap<&BundlePath, &Digest> {
    let counts = |p: &str| p.starts_with("queries/") || p == "input.schema.json";
    index.files().filter(|(path, _)| counts(path.as_str())).collect()
}
