//! Bodies of changing who may do what: proposals of keyring, directory and policy, and key claims.

use domain::{Digest, PersonId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Envelope;
use crate::shapes;

/// Which of the three documents is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProposalKind {
    /// Who may sign what. Adopted together with the directory and the policy that name it.
    Keyring,
    /// People, keys and groups.
    Directory,
    /// Targets and their rules.
    Policy,
}

/// Where a proposal is; only an open one may be signed, adopted or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProposalState {
    /// It may become the next version.
    Open,
    /// It is, or was, in force.
    Adopted,
    /// Another document is in force that it does not follow, or its time is over.
    Outdated,
    /// One of those who signed it took it back.
    Dropped,
}

/// A proposal: no authority, but a document on its way to being one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProposalView {
    /// The digest of its payload.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
    /// The document's id.
    pub id: String,
    /// Which document.
    pub kind: ProposalKind,
    /// Which version it would be.
    pub version: u64,
    /// The version that it follows.
    #[schema(value_type = Option<shapes::Sha256>)]
    pub previous: Option<Digest>,
    /// The keyring that a directory or policy names; null of a keyring.
    #[schema(value_type = Option<shapes::Sha256>)]
    pub keyring: Option<Digest>,
    /// Who handed it in.
    #[schema(value_type = shapes::Person)]
    pub proposed_by: PersonId,
    /// When it came.
    pub created_ms: u64,
    /// When it is forgotten unless adopted.
    pub expires_ms: u64,
    /// Whose signatures it has so far.
    #[schema(value_type = Vec<shapes::Person>)]
    pub signed_by: Vec<PersonId>,
    /// What is still missing, and who could give it, in words; null when it may be adopted, and of
    /// one that is not open.
    pub missing: Option<String>,
    /// Where it is.
    pub state: ProposalState,
    /// The document with all signatures so far; null in lists.
    #[schema(value_type = Option<shapes::EnvelopeShape>)]
    pub envelope: Option<Envelope>,
}

/// The answer to a key claim. It says nothing about who exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyClaimed {
    /// The digest of its payload, to tell a holder of the role `directory`.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
    /// When it is forgotten.
    pub expires_ms: u64,
}

/// A key claim, for holders of the role `directory`. The signature proves that somebody has the key;
/// everything else in it is what a stranger says.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeyClaimView {
    /// The digest of its payload.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
    /// Who the key wants to be.
    #[schema(value_type = shapes::Person)]
    pub person: PersonId,
    /// What the stranger calls themselves; not neutralised.
    pub name: String,
    /// The key, as `ssh-ed25519 AAAA…`.
    pub key: String,
    /// Its fingerprint, as `SHA256:…`.
    pub key_fingerprint: String,
    /// How to make sure who asks; not neutralised.
    pub note: String,
    /// When it came.
    pub created_ms: u64,
    /// When it is forgotten.
    pub expires_ms: u64,
    /// The signed claim.
    #[schema(value_type = shapes::EnvelopeShape)]
    pub envelope: Envelope,
}
