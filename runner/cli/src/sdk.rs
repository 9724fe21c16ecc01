//! The SDK for Rust, as this program was built with it: its sources are written into a new script's folder,
//! so that the script builds with nothing of ours published.

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// Where the copy is in a script's folder.
pub(crate) const FOLDER: &str = "sdk";

/// Whether a file of a script's sources is the SDK's, byte for byte: nothing that a reviewer has to read
/// again with every script.
pub(crate) fn is_copy(path: &str, bytes: &[u8]) -> bool {
    let inside = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
    inside.is_some_and(|path| FILES.iter().any(|(p, b)| *p == path && *b == bytes))
}

#[cfg(test)]
mod tests;
