//! The three kinds of documents that are proposed: what is in force of each, and what would be.

use trust::imagine::Ground;
use trust::{
    Authority, Directory, Document, Envelope, Keyring, Policy, VersionRef, Versioned, document,
};

/// A document that is proposed.
pub(crate) trait Kind: Versioned {
    /// The one in force.
    fn in_force(authority: &Authority) -> &Self;

    /// What would be in force with it.
    fn upon<'a>(&'a self, before: Ground<'a>) -> Ground<'a>;
}

impl Kind for Keyring {
    fn in_force(authority: &Authority) -> &Self {
        authority.keyring()
    }

    fn upon<'a>(&'a self, before: Ground<'a>) -> Ground<'a> {
        Ground { keyring: self, ..before }
    }
}

impl Kind for Directory {
    fn in_force(authority: &Authority) -> &Self {
        authority.directory()
    }

    fn upon<'a>(&'a self, before: Ground<'a>) -> Ground<'a> {
        Ground { directory: self, ..before }
    }
}

impl Kind for Policy {
    fn in_force(authority: &Authority) -> &Self {
        authority.policy()
    }

    fn upon<'a>(&'a self, before: Ground<'a>) -> Ground<'a> {
        Ground { policy: self, ..before }
    }
}

/// The keyring that a directory or policy names.
pub(super) fn named_keyring(envelope: &Envelope) -> anyhow::Result<Option<VersionRef>> {
    let is = |payload_type: String| envelope.payload_type() == payload_type;
    if is(document::payload_type::<Directory>()) {
        let doc: Directory = trust::read_unverified(envelope)?;
        return Ok(Some(doc.keyring));
    }
    if is(document::payload_type::<Policy>()) {
        let doc: Policy = trust::read_unverified(envelope)?;
        return Ok(Some(doc.keyring));
    }
    Ok(None)
}

/// Its name, as `directory`.
pub(super) const fn name<D: Document>() -> &'static str {
    D::DOC
}
