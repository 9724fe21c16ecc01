//! Proposals and key claims.

use api::types;
use app::{AppError, Claimed, KeyClaim, Named, Proposal, ProposalState, ProposedKind};

use super::raw;

/// With its envelope.
pub(crate) fn proposal(p: Proposal) -> Result<types::ProposalView, AppError> {
    let envelope = raw(p.row.envelope.clone(), "proposal")?;
    Ok(types::ProposalView { envelope: Some(envelope), ..proposal_in_list(p) })
}

/// Without: a directory is long.
pub(crate) fn proposal_in_list(p: Proposal) -> types::ProposalView {
    let Proposal { row, named, signed_by, could_sign: _, missing, state } = p;
    let store::Proposal { digest, proposed_by, envelope: _, created_ms, expires_ms } = row;
    let Named { kind, id, version, previous, keyring } = named;
    types::ProposalView {
        digest,
        id,
        kind: match kind {
            ProposedKind::Keyring => types::ProposalKind::Keyring,
            ProposedKind::Directory => types::ProposalKind::Directory,
            ProposedKind::Policy => types::ProposalKind::Policy,
        },
        version: version.version,
        previous,
        keyring: keyring.map(|k| k.digest),
        proposed_by,
        created_ms,
        expires_ms,
        signed_by: signed_by.into_iter().collect(),
        missing,
        state: match state {
            ProposalState::Open => types::ProposalState::Open,
            ProposalState::Adopted => types::ProposalState::Adopted,
            ProposalState::Outdated => types::ProposalState::Outdated,
            ProposalState::Dropped => types::ProposalState::Dropped,
        },
        envelope: None,
    }
}

/// What the stranger hears.
pub(crate) fn claimed(c: Claimed) -> types::KeyClaimed {
    let Claimed { row, claim: _ } = c;
    types::KeyClaimed { digest: row.digest, expires_ms: row.expires_ms }
}

pub(crate) fn key_claim(c: Claimed) -> Result<types::KeyClaimView, AppError> {
    let Claimed { row, claim } = c;
    let store::KeyClaim { digest, key_fingerprint, peer: _, envelope, created_ms, expires_ms } =
        row;
    let KeyClaim { header: _, person, name, key, note } = claim;
    Ok(types::KeyClaimView {
        digest,
        person,
        name: name.to_string(),
        key: key.to_string(),
        key_fingerprint,
        note: note.to_string(),
        created_ms,
        expires_ms,
        envelope: raw(envelope, "key claim")?,
    })
}

pub(crate) fn key_claims(all: Vec<Claimed>) -> Vec<types::KeyClaimView> {
    all.into_iter().filter_map(|c| key_claim(c).ok()).collect()
}
