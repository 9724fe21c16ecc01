//! Adopting keyring, directory and policy: verified against the pin, recorded when they are newer, and
//! remembered as the very documents that they are, because they come again with every order.
//!
//! What they must be is [`trust::Authority::establish`]; not here: what is done with them
//! ([`crate::verify`]).

use std::sync::Arc;

use domain::RunnerName;
use ledger::{AppendError, Entry, Event as Logged};
use serde::{Deserialize, Serialize};
use trust::authority::{Authority, AuthorityError, Seen};
use trust::{DocumentError, Envelope};

use crate::host::json;
use crate::recorded::Together;
use crate::runner::{Inner, lock};
use crate::state::write_pin;

/// The documents that say who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityDocuments {
    /// Who may sign what: the pinned keyring, or an earlier one.
    pub keyring: Envelope,
    /// The keyrings that follow it, every version; directory and policy belong to the newest.
    pub successors: Vec<Envelope>,
    /// The people.
    pub directory: Envelope,
    /// The targets.
    pub policy: Envelope,
}

impl AuthorityDocuments {
    /// As [`crate::Runner::adopt`] takes them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }
}

/// Why documents are not adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// They are not valid, not the pinned ones, or older than what was adopted.
    #[error("keyring, directory and policy are not acceptable")]
    Invalid(#[from] AuthorityError),
    /// The policy does not know this runner's key, so nobody could verify its receipts.
    #[error(
        "the policy has no runner {0} with this runner's key; sign a policy that has, or enrol again"
    )]
    NotThisRunner(RunnerName),
    /// Somebody who is stopped signed what would be new.
    #[error("nobody who is stopped changes who may do what; have it signed without them")]
    Stopped(#[from] DocumentError),
    /// The bytes are no such documents.
    #[error("the documents cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// The runner shuts down.
    #[error("the runner is shutting down; whether it adopted the documents is unknown")]
    Interrupted,
    /// The adoption cannot be recorded.
    #[error("the adoption cannot be recorded")]
    NotRecorded(#[from] AppendError),
    /// The pin cannot be moved to the newer keyring.
    #[error("the pin cannot be moved to the newer keyring")]
    Pin(#[from] std::io::Error),
}

/// What was adopted last, with the very documents that it was made of.
pub(crate) struct Adopted {
    documents: AuthorityDocuments,
    pub(crate) authority: Arc<Authority>,
}

impl Inner {
    pub(crate) async fn adopt(
        &self,
        documents: &AuthorityDocuments,
    ) -> Result<Arc<Authority>, AdoptError> {
        let _one_at_a_time = self.adopting.lock().await;
        let newest = self.state.newest();
        if let Some(authority) = self.adopted_already(documents, &newest)? {
            return Ok(authority);
        }
        let authority = Authority::establish(
            &documents.keyring,
            &documents.successors,
            &documents.directory,
            &documents.policy,
            &self.state.pinned(),
            &newest,
            self.now(),
        )?;
        if authority.runner_key(&self.name) != Some(self.key.public()) {
            return Err(AdoptError::NotThisRunner(self.name.clone()));
        }
        authority.unstopped_since(&newest, &self.state.in_force())?;
        self.adopt_keyring(documents, &authority, &newest).await?;
        let directory = authority.directory_ref();
        if newest.directory != Some(directory) {
            let event = Logged::DirectoryAdopted {
                id: authority.directory().header.id.clone(),
                version: directory.version,
                document: directory.digest,
            };
            self.ledger.append_durable(Entry::new(event, json(&documents.directory))).await?;
        }
        let policy = authority.policy_ref();
        if newest.policy != Some(policy) {
            let event = Logged::PolicyAdopted {
                id: authority.policy().header.id.clone(),
                version: policy.version,
                document: policy.digest,
            };
            self.ledger.append_durable(Entry::new(event, json(&documents.policy))).await?;
        }
        self.state.adopt(authority.seen());
        let authority = Arc::new(authority);
        let adopted = Adopted { documents: documents.clone(), authority: Arc::clone(&authority) };
        *lock(&self.adopted) = Some(adopted);
        Ok(authority)
    }

    /// Moves the pin to a keyring that follows the pinned one: first the entry, then the file.
    async fn adopt_keyring(
        &self,
        documents: &AuthorityDocuments,
        authority: &Authority,
        newest: &Seen,
    ) -> Result<(), AdoptError> {
        let (pin, keyring) = (authority.pin(), authority.keyring_ref());
        if pin == self.state.pinned() {
            return Ok(());
        }
        if newest.keyring != Some(keyring) {
            let event = Logged::KeyringAdopted {
                id: authority.keyring().header.id.clone(),
                version: keyring.version,
                document: keyring.digest,
            };
            // One entry holds all three: whenever we die, they are adopted together or not at all.
            let together = Together::of(documents, &self.state.pinned());
            self.ledger.append_durable(Entry::new(event, json(&together))).await?;
            // From here on no older one is believed, whatever becomes of the file.
            self.state.adopt(Seen { keyring: Some(keyring), ..*newest });
        }
        // If we die here, the next start reads the entry and moves the pin.
        let (dir, pinned) = (self.dir.clone(), pin.clone());
        let written = tokio::task::spawn_blocking(move || write_pin(&dir, &pinned));
        written.await.map_err(std::io::Error::other)?.map_err(std::io::Error::other)?;
        self.state.pin_moved(pin);
        Ok(())
    }

    /// The authority, when it was made of these very documents and is still the newest. Of all that was
    /// checked then only the time can have changed, so that is checked again.
    fn adopted_already(
        &self,
        documents: &AuthorityDocuments,
        newest: &Seen,
    ) -> Result<Option<Arc<Authority>>, AuthorityError> {
        let same = |a: &&Adopted| a.documents == *documents && a.authority.seen() == *newest;
        let authority = lock(&self.adopted).as_ref().filter(same).map(|a| Arc::clone(&a.authority));
        if let Some(authority) = &authority {
            authority.live(self.now()).map_err(AuthorityError::Document)?;
        }
        Ok(authority)
    }
}
