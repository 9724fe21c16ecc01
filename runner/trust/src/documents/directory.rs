//! The directory: people, their keys and groups. Changes weekly.

use std::collections::BTreeMap;

use domain::{Digest, DirectoryId, GroupName, PersonId, Timestamp, TrustDomain};
use serde::{Deserialize, Serialize};

use super::keyring::{Role, check_version};
use super::written;
use crate::document::{Document, Header, Problem, SignedBy, VersionRef, field};
use crate::envelope::POLICY_BYTES_MAX;
use crate::key::PublicKey;

/// What a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonKind {
    /// A human being.
    Human,
    /// A service principal, as a CI job.
    Service,
    /// An agent.
    Agent,
}

/// Whether a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStatus {
    /// It may.
    Active,
    /// It no longer signs.
    Retired,
    /// Somebody else may have it.
    Compromised,
}

/// One key of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonKey {
    /// The key.
    pub key: PublicKey,
    /// Its status.
    pub status: KeyStatus,
    /// Since when, where that matters.
    #[serde(deserialize_with = "written")]
    pub since: Option<Timestamp>,
}

/// One person, service principal or agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The id that documents use.
    pub id: PersonId,
    /// For people.
    pub name: String,
    /// What it is.
    pub kind: PersonKind,
    /// The human who answers for a service or agent; `null` for a human.
    #[serde(deserialize_with = "written")]
    pub owner: Option<PersonId>,
    /// Keys.
    pub keys: Vec<PersonKey>,
    /// Groups.
    pub groups: Vec<GroupName>,
}

impl Person {
    /// Who is counted: the owner of a service or agent, else the person itself.
    #[must_use]
    pub fn counted(&self) -> &PersonId {
        self.owner.as_ref().unwrap_or(&self.id)
    }

    /// Whether this is a human.
    #[must_use]
    pub fn is_human(&self) -> bool {
        self.kind == PersonKind::Human
    }
}

/// The directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// What every document has.
    pub header: Header<DirectoryId>,
    /// From 1.
    pub version: u64,
    /// The digest of the previous version's payload; `null` for version 1.
    #[serde(deserialize_with = "written")]
    pub previous: Option<Digest>,
    /// The keyring whose roles signed it.
    pub keyring: VersionRef,
    /// People, none twice.
    pub people: Vec<Person>,
}

impl Document for Directory {
    const DOC: &'static str = "directory";
    const BYTES_MAX: usize = POLICY_BYTES_MAX;
    fn trust_domain(&self) -> &TrustDomain {
        &self.header.trust_domain
    }
    fn window(&self) -> domain::decide::Window {
        self.header.window()
    }
    fn signed_by(&self) -> SignedBy<'_> {
        SignedBy::Role(Role::Directory)
    }
    fn check(&self) -> Result<(), Problem> {
        check_version(self.version, self.previous)?;
        let mut ids = BTreeMap::new();
        for (i, p) in self.people.iter().enumerate() {
            if ids.insert(&p.id, p).is_some() {
                return Err(field(format!("people.{i}.id"), format!("{} is listed twice", p.id)));
            }
        }
        let mut keys: BTreeMap<[u8; 32], &PersonId> = BTreeMap::new();
        for (i, p) in self.people.iter().enumerate() {
            check_person(p, &ids).map_err(|what| field(format!("people.{i}.owner"), what))?;
            for (j, k) in p.keys.iter().enumerate() {
                if let Some(other) = keys.insert(*k.key.as_bytes(), &p.id) {
                    let at = format!("people.{i}.keys.{j}");
                    return Err(field(at, format!("{other} has this key already")));
                }
            }
        }
        Ok(())
    }
}

fn check_person(p: &Person, all: &BTreeMap<&PersonId, &Person>) -> Result<(), String> {
    match (p.is_human(), &p.owner) {
        (true, None) => Ok(()),
        (true, Some(_)) => Err("a human has no owner; write null".to_owned()),
        (false, None) => Err("a service or agent names the human who answers for it".to_owned()),
        (false, Some(owner)) if all.get(owner).is_some_and(|o| o.is_human()) => Ok(()),
        (false, Some(owner)) => Err(format!("{owner} is no human in this directory")),
    }
}
