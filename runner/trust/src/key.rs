//! Public keys as people have them: OpenSSH lines `ssh-ed25519 AAAA… comment` and fingerprints.
//!
//! Not here: private keys ([`crate::secret`]) and who holds a key ([`crate::authority`]).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};

use crate::wire::{Reader, base64_of, from_base64, put_string};

/// The one key type of version 1.
pub(crate) const KEY_TYPE: &str = "ssh-ed25519";

/// Why a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Another algorithm.
    #[error("{0} keys are not supported yet; use an ed25519 key: ssh-keygen -t ed25519 -N ''")]
    Kind(String),
    /// Not an OpenSSH public key.
    #[error("this is not an OpenSSH public key ({0}); expected a line as in id_ed25519.pub")]
    Public(&'static str),
    /// A point of small order: anybody can sign for it.
    #[error("this ed25519 key is weak: its signatures prove nothing; make a new one")]
    Weak,
    /// Not an OpenSSH private key file.
    #[error("this is not an OpenSSH private key file ({0}); make one: ssh-keygen -t ed25519 -N ''")]
    Private(&'static str),
    /// A private key under a passphrase.
    #[error(
        "this private key has a passphrase, and passphrases and agents are not supported yet; \
         make a key without: ssh-keygen -t ed25519 -N ''"
    )]
    Encrypted,
}

/// The SHA-256 fingerprint of a public key, `SHA256:…` as `ssh-keygen -l` prints it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Whether a text is a fingerprint in its one form: `SHA256:` and 43 characters of base64 that
    /// stand for 32 bytes.
    #[must_use]
    pub fn is_canonical(text: &str) -> bool {
        let Some(hash) = text.strip_prefix("SHA256:") else {
            return false;
        };
        // Padding restored, the standard form is the only one that this reader takes.
        hash.len() == 43
            && crate::wire::from_base64(&format!("{hash}=")).is_some_and(|b| b.len() == 32)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An ed25519 public key that is not weak. Text form: `ssh-ed25519 AAAA…`, without a comment.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From the 32 bytes of RFC 8032.
    ///
    /// # Errors
    /// When they are no point of the curve, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes)
            .map_err(|_| KeyError::Public("no point of the curve"))?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// From OpenSSH's wire form.
    ///
    /// # Errors
    /// Another kind of key, bytes left over, or a weak key.
    pub fn from_blob(blob: &[u8]) -> Result<Self, KeyError> {
        let mut r = Reader::new(blob);
        let kind = r.string().ok_or(KeyError::Public("cut short"))?;
        if kind != KEY_TYPE.as_bytes() {
            let kind = String::from_utf8_lossy(kind).chars().take(64).collect::<String>();
            return Err(KeyError::Kind(domain::display::neutralise(&kind)));
        }
        let bytes = r.string().ok_or(KeyError::Public("cut short"))?;
        if !r.is_empty() {
            return Err(KeyError::Public("bytes after the key"));
        }
        let bytes = bytes.try_into().map_err(|_| KeyError::Public("not 32 bytes"))?;
        Self::from_bytes(bytes)
    }

    /// OpenSSH's wire form.
    #[must_use]
    pub fn to_blob(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(51);
        put_string(&mut out, KEY_TYPE.as_bytes());
        put_string(&mut out, self.as_bytes());
        out
    }

    /// Parses a line of a `.pub` file; its comment is ignored.
    ///
    /// # Errors
    /// When it is no ed25519 key, or options stand before it.
    pub fn parse_line(line: &str) -> Result<Self, KeyError> {
        let mut words = line.trim_end().splitn(3, ' ');
        let kind = words.next().unwrap_or_default();
        let known = ["ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-"].iter().any(|p| kind.starts_with(p));
        if known && kind != KEY_TYPE {
            return Err(KeyError::Kind(domain::display::neutralise(kind)));
        }
        if kind != KEY_TYPE {
            return Err(KeyError::Public("it does not begin with ssh-ed25519"));
        }
        let blob = words.next().and_then(from_base64).ok_or(KeyError::Public("bad base64"))?;
        Self::from_blob(&blob)
    }

    /// `SHA256:` and the unpadded base64 of the SHA-256 of the wire form.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let digest = Sha256::digest(self.to_blob());
        Fingerprint(format!("SHA256:{}", STANDARD_NO_PAD.encode(digest)))
    }

    pub(crate) const fn inner(&self) -> &VerifyingKey {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KEY_TYPE} {}", base64_of(&self.to_blob()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;
    /// The text form only: a comment, which a person could change at will, is refused here.
    fn from_str(s: &str) -> Result<Self, KeyError> {
        let key = Self::parse_line(s)?;
        if key.to_string() == s {
            Ok(key)
        } else {
            Err(KeyError::Public("in documents a key stands without a comment"))
        }
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = <String as serde::Deserialize>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
