//! The stock component: what runs scripts that are only SQL, and how reviewers know it.
//!
//! Its bytes depend on no script, so its digest says everything about it. Which digest belongs to which
//! version is in `sdk/stock/released.txt`; whatever is not there is somebody's own build.

use domain::Digest;

/// The component of this version.
pub(crate) static COMPONENT: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/bundles/stock/component.wasm"));

/// Every version's digest, as `sha256sum` prints it; newest last.
const RELEASED: &str = include_str!("../../../sdk/stock/released.txt");

/// The version whose stock component has this digest.
pub(crate) fn version_of(component: &Digest) -> Option<&'static str> {
    let lines = RELEASED.lines().filter(|line| !line.starts_with('#'));
    let mut versions = lines.filter_map(|line| line.split_once("  "));
    versions.find(|(hex, _)| component.hex() == *hex).map(|(_, version)| version)
}

/// What a reviewer has to know about where a component comes from.
pub(crate) fn in_words(component: &Digest) -> String {
    match version_of(component) {
        Some(version) => format!(
            "stock component of {version}: runs each query once and shows its rows; all there is to \
             review is the SQL"
        ),
        None => {
            "unlisted build: no stock component that this program knows; what it does is in its \
                 source"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
