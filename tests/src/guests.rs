//! The embedded bundles: ready-made scripts, the demo's attackers, and the guests of the proofs.

include!(concat!(env!("OUT_DIR"), "/bundles.rs"));

/// The files of a bundle, without `bundle.sha256`.
///
/// # Panics
/// When there is no guest of this name.
pub fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let found = BUNDLES.iter().find(|(bundle, _)| *bundle == name);
    let (_, files) = found.unwrap_or_else(|| panic!("there is no guest {name}"));
    files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}

/// One file of a bundle.
///
/// # Panics
/// When there is no such guest or file.
pub fn file(name: &str, path: &str) -> Vec<u8> {
    let found = files(name).into_iter().find(|(p, _)| p == path);
    found.unwrap_or_else(|| panic!("guest {name} has no {path}")).1
}
