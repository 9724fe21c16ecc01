//! What a context believes: the keyring that it pins, followed through signed successions, and nothing
//! older than what it has seen.
//!
//! A server says what it likes; here its keyrings, directory and policy are verified against the pin,
//! and against the newest versions that this context was ever shown. Those are kept in a file beside
//! the contexts. The rules themselves are in [`trust::authority`].

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use api::Client;
use domain::{Digest, Timestamp, TrustDomain};
use serde::{Deserialize, Serialize};
use trust::{Authority, AuthorityError, Envelope, Keyring, Pinned, Seen, VersionRef};

use crate::exit::Failure;
use crate::keys;
use crate::session::envelope;

/// What is in force, as a server shows it; nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// The first keyring that the server knows.
    pub(crate) keyring: Envelope,
    /// Those that follow it, up to the one in force.
    pub(crate) successors: Vec<Envelope>,
    /// The directory.
    pub(crate) directory: Envelope,
    /// The policy.
    pub(crate) policy: Envelope,
}

/// The keyrings that a server shows, the oldest first; also without a session.
pub(crate) async fn keyrings(client: &Client) -> anyhow::Result<(Envelope, Vec<Envelope>)> {
    let shown = client.keyrings().await?;
    let mut all = shown.iter().map(envelope).collect::<anyhow::Result<Vec<_>>>()?.into_iter();
    let first = all.next().ok_or_else(|| {
        Failure::evidence("the server shows no keyring", "it is broken or lies; sign nothing")
    })?;
    Ok((first, all.collect()))
}

impl Shown {
    /// Asks a server.
    pub(crate) async fn by(client: &Client) -> anyhow::Result<Self> {
        let (keyring, successors) = keyrings(client).await?;
        Ok(Self {
            keyring,
            successors,
            directory: envelope(&client.directory().await?)?,
            policy: envelope(&client.policy().await?)?,
        })
    }

    /// Verifies it all.
    pub(crate) fn establish(
        &self,
        pin: &Pin,
        seen: &Seen,
        now: Timestamp,
    ) -> Result<Authority, AuthorityError> {
        let pinned = pin.among(&self.keyring, &self.successors)?;
        let Self { keyring, successors, directory, policy } = self;
        Authority::establish(keyring, successors, directory, policy, &pinned, seen, now)
    }
}

/// Which keyring is believed, by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    /// The audience of every signature.
    pub(crate) trust_domain: TrustDomain,
    /// The keyring.
    pub(crate) keyring: Digest,
}

impl Pin {
    /// A pin is a digest; which version that is, the keyring itself says.
    pub(crate) fn among(
        &self,
        keyring: &Envelope,
        successors: &[Envelope],
    ) -> Result<Pinned, AuthorityError> {
        let mut all = [keyring].into_iter().chain(successors);
        let named = all.find(|k| k.payload_digest() == self.keyring).unwrap_or(keyring);
        let claimed: Keyring = trust::read_unverified(named).map_err(AuthorityError::Document)?;
        let keyring = VersionRef { version: claimed.version, digest: self.keyring };
        Ok(Pinned { trust_domain: self.trust_domain.clone(), keyring })
    }
}

/// The newest versions that a context has seen, in its file; of nobody's context in memory only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Option<PathBuf>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    pin: Pin,
    seen: Seen,
}

impl Memory {
    /// Of a context.
    pub(crate) fn of(dir: &Path, context: &str) -> Self {
        Self(Some(dir.join(format!("{context}.seen.json"))))
    }

    /// What was seen under this pin. Whoever pins another keyring by hand begins anew.
    pub(crate) fn seen(&self, pin: &Pin) -> anyhow::Result<Seen> {
        let Some(path) = &self.0 else { return Ok(Seen::default()) };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Seen::default()),
            Err(e) => {
                return Err(e).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let known: Remembered = serde_json::from_slice(&bytes).map_err(|e| {
            Failure::usage(
                format!("{} is damaged: {e}", path.display()),
                "it keeps a server from showing old keyrings, directories and policies; compare what \
                 `borescope keys show` says with your administrators before you remove it",
            )
        })?;
        Ok(if known.pin == *pin { known.seen } else { Seen::default() })
    }

    /// Remembers an authority that was verified against what was seen before.
    pub(crate) fn keep(&self, pin: &Pin, authority: &Authority) -> anyhow::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        // Another command may have seen something newer in the meantime.
        let (ours, known) = (authority.seen(), self.seen(pin)?);
        let newer = |a: Option<VersionRef>, b: Option<VersionRef>| {
            a.into_iter().chain(b).max_by_key(|v| v.version)
        };
        let seen = Seen {
            keyring: newer(known.keyring, ours.keyring),
            directory: newer(known.directory, ours.directory),
            policy: newer(known.policy, ours.policy),
        };
        if seen == known {
            return Ok(());
        }
        let known = Remembered { pin: pin.clone(), seen };
        keys::replace_secret(path, &serde_json::to_vec(&known)?)
    }
}

#[cfg(test)]
mod tests;
