//! The trust file: which keys an auditor has decided to believe, written down by the auditor.
//!
//! ```toml
//! trust_domain = "example.com/prod"
//! keyring = "sha256:…"
//! [[log]]
//! vkey = "…"
//! [[witness]]
//! vkey = "…"
//! ```
//! It is never taken from the party whose evidence is being verified.

use domain::{Digest, TrustDomain};
use serde::Deserialize;

use crate::note::{Algorithm, KeyError, VerifierKey};

/// The explicit roots of an offline verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustFile {
    /// Audience that every document must name.
    pub trust_domain: TrustDomain,
    /// Digest of the keyring from which document keys follow.
    pub keyring: Digest,
    /// Logs that are believed; at least one.
    pub logs: Vec<VerifierKey>,
    /// Witnesses that are believed; if there are any, one of them must have cosigned.
    pub witnesses: Vec<VerifierKey>,
}

/// Why a trust file is refused.
#[derive(Debug, thiserror::Error)]
pub enum TrustFileError {
    /// Not TOML, an unknown key, a missing one, or a malformed value.
    #[error("the trust file is not valid")]
    Toml(#[from] toml::de::Error),
    /// A key is damaged.
    #[error("the trust file's key {vkey:?} is not valid")]
    Key {
        /// The text.
        vkey: String,
        /// What is wrong.
        source: KeyError,
    },
    /// A witness's key under `[[log]]`, or the reverse.
    #[error("the trust file lists {vkey:?} as a {listed_as}, which its type does not fit")]
    WrongType {
        /// The text.
        vkey: String,
        /// Where it stands.
        listed_as: &'static str,
    },
    /// Nothing could be authenticated with it.
    #[error("the trust file has no [[log]]: add the vkey of the log that you believe")]
    NoLog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    trust_domain: TrustDomain,
    keyring: Digest,
    #[serde(default)]
    log: Vec<Key>,
    #[serde(default)]
    witness: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    vkey: String,
}

impl TrustFile {
    /// Parses a trust file.
    ///
    /// # Errors
    /// When anything in it is unknown, missing or malformed.
    pub fn parse(text: &str) -> Result<Self, TrustFileError> {
        let source: Source = toml::from_str(text)?;
        let logs = keys(source.log, Algorithm::Ed25519, "log")?;
        if logs.is_empty() {
            return Err(TrustFileError::NoLog);
        }
        let witnesses = keys(source.witness, Algorithm::CosignatureV1, "witness")?;
        let Source { trust_domain, keyring, .. } = source;
        Ok(Self { trust_domain, keyring, logs, witnesses })
    }
}

fn keys(
    source: Vec<Key>,
    wanted: Algorithm,
    listed_as: &'static str,
) -> Result<Vec<VerifierKey>, TrustFileError> {
    let parse = |Key { vkey }: Key| match vkey.parse::<VerifierKey>() {
        Ok(key) if key.algorithm() == wanted => Ok(key),
        Ok(_) => Err(TrustFileError::WrongType { vkey, listed_as }),
        Err(source) => Err(TrustFileError::Key { vkey, source }),
    };
    source.into_iter().map(parse).collect()
}
