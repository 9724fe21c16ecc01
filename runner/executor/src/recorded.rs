//! Keyring, directory and policy as they were recorded when they were adopted, so that a runner that
//! starts anew goes on with what is in force, whatever the files beside it say.
//!
//! What the log says was adopted is still verified against the pin ([`crate::adopt`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trust::authority::SUCCESSORS_MAX;
use trust::{Directory, Document as _, Envelope, Keyring, Pinned, Policy};

use crate::adopt::AuthorityDocuments;
use crate::state::StateError::{self, NotReadable};

/// The payload of a keyring's adoption: the keyrings since the one that was pinned, the newest last,
/// and what was adopted with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Together {
    /// At least one.
    keyrings: Vec<Envelope>,
    directory: Envelope,
    policy: Envelope,
}

impl Together {
    pub(crate) fn of(documents: &AuthorityDocuments, pinned: &Pinned) -> Self {
        let AuthorityDocuments { keyring, successors, directory, policy } = documents;
        let all: Vec<&Envelope> = [keyring].into_iter().chain(successors).collect();
        let known = all.iter().position(|k| k.payload_digest() == pinned.keyring.digest);
        let newer = all.into_iter().skip(known.map_or(0, |n| n + 1));
        Self {
            keyrings: newer.cloned().collect(),
            directory: directory.clone(),
            policy: policy.clone(),
        }
    }

    /// Of an entry's payload.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(payload: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(payload)
    }

    /// The keyring that was adopted.
    #[must_use]
    pub fn keyring(&self) -> Option<&Envelope> {
        self.keyrings.last()
    }
}

/// The payloads of adoptions, as they are read back; what was erased is not there.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    keyrings: Vec<Vec<u8>>,
    directory: Option<Vec<u8>>,
    policy: Option<Vec<u8>>,
}

impl Recorded {
    pub(crate) fn keyring(&mut self, payload: Option<&[u8]>) {
        self.keyrings.extend(payload.map(<[u8]>::to_vec));
    }

    pub(crate) fn directory(&mut self, payload: Option<&[u8]>) {
        self.directory = payload.map(<[u8]>::to_vec);
    }

    pub(crate) fn policy(&mut self, payload: Option<&[u8]>) {
        self.policy = payload.map(<[u8]>::to_vec);
    }

    /// The newest of each, of the log and of `founding`. Of one version the log's counts: another one
    /// was never adopted.
    pub(crate) fn newest(
        &self,
        founding: &AuthorityDocuments,
    ) -> Result<AuthorityDocuments, StateError> {
        let AuthorityDocuments { keyring, successors, directory, policy } = founding.clone();
        let mut keyrings = versions([keyring].into_iter().chain(successors))?;
        let mut directories = versions([directory])?;
        let mut policies = versions([policy])?;
        for payload in &self.keyrings {
            let together = Together::parse(payload).map_err(|_| NotReadable(Keyring::DOC))?;
            keyrings.extend(versions(together.keyrings)?);
            directories.extend(versions([together.directory])?);
            policies.extend(versions([together.policy])?);
        }
        directories.extend(versions(parsed(self.directory.as_deref(), Directory::DOC)?)?);
        policies.extend(versions(parsed(self.policy.as_deref(), Policy::DOC)?)?);
        // Whoever needs more than are walked has pinned a newer one.
        let too_many = keyrings.len().saturating_sub(SUCCESSORS_MAX + 1);
        let mut keyrings = keyrings.into_values().skip(too_many);
        let newest = |mut all: BTreeMap<u64, Envelope>, doc| {
            all.pop_last().map(|(_, envelope)| envelope).ok_or(NotReadable(doc))
        };
        Ok(AuthorityDocuments {
            keyring: keyrings.next().ok_or(NotReadable(Keyring::DOC))?,
            successors: keyrings.collect(),
            directory: newest(directories, Directory::DOC)?,
            policy: newest(policies, Policy::DOC)?,
        })
    }
}

/// Documents of one kind by version.
fn versions(
    all: impl IntoIterator<Item = Envelope>,
) -> Result<BTreeMap<u64, Envelope>, StateError> {
    let version = |envelope: Envelope| {
        let named = trust::named(&envelope).map_err(|e| NotReadable(e.doc))?;
        Ok((named.version.version, envelope))
    };
    all.into_iter().map(version).collect()
}

fn parsed(payload: Option<&[u8]>, doc: &'static str) -> Result<Option<Envelope>, StateError> {
    let parse = |p| Envelope::from_json(p).map_err(|_| NotReadable(doc));
    payload.map(parse).transpose()
}
