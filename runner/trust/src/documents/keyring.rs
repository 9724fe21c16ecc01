//! The keyring: root keys, who holds which role, and the floors under every policy. Rarely changes.

use std::collections::BTreeSet;
use std::fmt;

use domain::decide::Window;
use domain::{Digest, KeyringId, PersonId, TrustDomain};
use serde::{Deserialize, Serialize};

use super::statements::statement;
use super::written;
use crate::document::{Document, Header, Problem, SignedBy, field};
use crate::key::PublicKey;

/// What a role's holders may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Keyrings.
    Root,
    /// Directories.
    Directory,
    /// Policies.
    Policy,
    /// Stops.
    Stop,
    /// Lifts.
    Lift,
    /// Statuses.
    Status,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Directory => "directory",
            Self::Policy => "policy",
            Self::Stop => "stop",
            Self::Lift => "lift",
            Self::Status => "status",
        })
    }
}

/// A key of a role's holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyringKey {
    /// Whose it is.
    pub person: PersonId,
    /// The key.
    pub key: PublicKey,
}

/// Who holds a role, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The role.
    pub role: Role,
    /// Distinct people who must sign, from 1.
    pub threshold: u32,
    /// Its holders.
    pub people: Vec<PersonId>,
}

/// Floors under every target's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floors {
    /// No target needs fewer reviews.
    pub reviews_required: u32,
    /// No target needs fewer approvals.
    pub approvals_required: u32,
    /// Whether a target may allow runs without an approval at all.
    pub self_serve: bool,
    /// No target needs fewer approvals in an emergency.
    pub break_glass_approvals_required: u32,
}

/// The keyring. Version 1 is signed by its own root threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyring {
    /// What every document has.
    pub header: Header<KeyringId>,
    /// From 1.
    pub version: u64,
    /// The digest of the previous version's payload; `null` for version 1.
    #[serde(deserialize_with = "written")]
    pub previous: Option<Digest>,
    /// Keys of role holders.
    pub keys: Vec<KeyringKey>,
    /// Roles, none twice.
    pub roles: Vec<RoleRule>,
    /// Floors.
    pub floors: Floors,
}
statement!(Keyring, "keyring", |_d| SignedBy::Role(Role::Root), check Keyring::check_rules);

impl Keyring {
    /// The rule of a role.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<&RoleRule> {
        self.roles.iter().find(|r| r.role == role)
    }

    /// Who holds `key`.
    #[must_use]
    pub fn holder(&self, key: &PublicKey) -> Option<&PersonId> {
        self.keys.iter().find(|k| k.key == *key).map(|k| &k.person)
    }

    /// Who holds a key of the same material, plain or on a security key.
    #[must_use]
    pub fn holder_of_material(&self, key: &PublicKey) -> Option<&PersonId> {
        self.keys.iter().find(|k| k.key.as_bytes() == key.as_bytes()).map(|k| &k.person)
    }

    fn check_rules(&self) -> Result<(), Problem> {
        check_version(self.version, self.previous)?;
        for (i, k) in self.keys.iter().enumerate() {
            if self.keys[..i].iter().any(|earlier| earlier.key.as_bytes() == k.key.as_bytes()) {
                return Err(field(format!("keys.{i}"), "the key is listed twice"));
            }
            let signs_status =
                self.role(Role::Status).is_some_and(|r| r.people.contains(&k.person));
            if signs_status && k.key.application().is_some() {
                let what =
                    "is on a security key; `status` is signed while nobody is there to touch it";
                return Err(field(format!("keys.{i}"), what));
            }
        }
        for (i, rule) in self.roles.iter().enumerate() {
            let at = format!("roles.{i}");
            let people: BTreeSet<_> = rule.people.iter().collect();
            if people.len() != rule.people.len() {
                return Err(field(at, "a person is listed twice"));
            }
            if rule.threshold == 0 || rule.threshold as usize > people.len() {
                return Err(field(at, "the threshold is 0 or more than its people"));
            }
            if let Some(p) = people.iter().find(|p| !self.keys.iter().any(|k| k.person == ***p)) {
                return Err(field(at, format!("{p} has no key in `keys`")));
            }
            if self.roles[..i].iter().any(|earlier| earlier.role == rule.role) {
                return Err(field(at, format!("the role `{}` is listed twice", rule.role)));
            }
        }
        for role in [Role::Root, Role::Directory, Role::Policy] {
            if self.role(role).is_none() {
                return Err(field("roles", format!("the role `{role}` is missing")));
            }
        }
        Ok(())
    }
}

/// Versions count from 1, and every one but the first names its predecessor.
pub(super) fn check_version(version: u64, previous: Option<Digest>) -> Result<(), Problem> {
    if version == 0 {
        return Err(field("version", "is 0; versions count from 1"));
    }
    if (version == 1) != previous.is_none() {
        return Err(field("previous", "is null for version 1 and a digest for every other"));
    }
    Ok(())
}
