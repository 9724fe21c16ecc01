//! The keyring's source, `keyring.toml`.

use domain::{Digest, KeyringId, PersonId};
use serde::Deserialize;

use super::{SourceError, checked, parse};
use crate::document::Header;
use crate::documents::{Floors, Keyring, KeyringKey, Role, RoleRule};
use crate::key::PublicKey;

const FILE: &str = "keyring.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKeyring {
    #[serde(default, rename = "key")]
    keys: Vec<RawKey>,
    #[serde(default, rename = "role")]
    roles: Vec<RawRole>,
    #[serde(default)]
    floors: RawFloors,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    person: PersonId,
    /// A line of a `.pub` file; a comment is dropped.
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRole {
    role: Role,
    threshold: u32,
    people: Vec<PersonId>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawFloors {
    reviews_required: Option<u32>,
    approvals_required: Option<u32>,
    self_serve: Option<bool>,
    break_glass_approvals_required: Option<u32>,
}

impl From<RawFloors> for Floors {
    fn from(raw: RawFloors) -> Self {
        Self {
            reviews_required: raw.reviews_required.unwrap_or(1),
            approvals_required: raw.approvals_required.unwrap_or(1),
            self_serve: raw.self_serve.unwrap_or(false),
            break_glass_approvals_required: raw.break_glass_approvals_required.unwrap_or(1),
        }
    }
}

/// The keyring that `keyring.toml` describes. A missing floor is 1, a missing `self_serve` is no.
///
/// # Errors
/// Says what is wrong and where.
pub fn keyring(
    text: &str,
    header: Header<KeyringId>,
    version: u64,
    previous: Option<Digest>,
) -> Result<Keyring, SourceError> {
    let raw: RawKeyring = parse(FILE, text)?;
    let mut keys = Vec::with_capacity(raw.keys.len());
    for k in raw.keys {
        let key = PublicKey::parse_line(&k.key).map_err(|e| SourceError::Syntax {
            file: FILE,
            what: format!("a key of {}: {e}", k.person),
        })?;
        keys.push(KeyringKey { person: k.person, key });
    }
    let rule = |r: RawRole| RoleRule { role: r.role, threshold: r.threshold, people: r.people };
    let roles = raw.roles.into_iter().map(rule).collect();
    checked(FILE, Keyring { header, version, previous, keys, roles, floors: raw.floors.into() })
}
