//! The keys of signed notes: a log's name, its secret, and the public `vkey` text
//! `<name>+<8 hex of the id>+<base64 of type and key>`.
//!
//! Where the secret is stored is the executor's business; here it is 32 bytes that leave memory
//! when dropped.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// Bytes of a log's name: it stands in every checkpoint.
const ORIGIN_BYTES_MAX: usize = 128;

/// Why a key's text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a log or witness name.
    #[error("a log's name is 1 to 128 printable ASCII characters without space and +")]
    Name,
    /// Not `<name>+<8 hex>+<base64>`.
    #[error("a vkey is <name>+<8 hex digits>+<base64 of type and key>")]
    Form,
    /// The id in the text is not the id of the key in the text.
    #[error("the vkey's id is not that of its key: a character is wrong, or it was put together")]
    Id,
    /// A type other than ed25519 and cosignature v1.
    #[error("vkey type {0:#04x} is not supported: use ed25519 (0x01) or cosignature v1 (0x04)")]
    Algorithm(u8),
    /// Not a usable point of the curve.
    #[error("the vkey's 32 bytes are not an ed25519 public key that is safe to use")]
    Point,
}

/// A log's or witness's name: the first line of its checkpoints, the name of its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = KeyError;
    fn from_str(s: &str) -> Result<Self, KeyError> {
        let fits = (1..=ORIGIN_BYTES_MAX).contains(&s.len());
        if fits && s.bytes().all(|b| b.is_ascii_graphic() && b != b'+') {
            Ok(Self(s.to_owned()))
        } else {
            Err(KeyError::Name)
        }
    }
}

impl serde::Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Origin {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// A log's signature over the note's text.
    Ed25519,
    /// A witness's signature over time and text.
    CosignatureV1,
}

impl Algorithm {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::CosignatureV1 => 4,
        }
    }
}

/// A public key with its name, as trust files and policies list it.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: Origin,
    algorithm: Algorithm,
    key: VerifyingKey,
}

impl VerifierKey {
    /// The log's or witness's name.
    #[must_use]
    pub const fn name(&self) -> &Origin {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The first four bytes of `SHA-256(name ‖ LF ‖ type ‖ key)`: a hint, not an identity.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(self.name.as_str());
        hash.update([b'\n', self.algorithm.byte()]);
        hash.update(self.key.as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|s| self.key.verify_strict(message, &s).is_ok())
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;
    fn from_str(s: &str) -> Result<Self, KeyError> {
        let mut parts = s.splitn(3, '+');
        let (Some(name), Some(id), Some(blob)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let blob = STANDARD.decode(blob).map_err(|_| KeyError::Form)?;
        let (kind, point) = blob.split_first().ok_or(KeyError::Form)?;
        let algorithm = match kind {
            1 => Algorithm::Ed25519,
            4 => Algorithm::CosignatureV1,
            other => return Err(KeyError::Algorithm(*other)),
        };
        let point: &[u8; 32] = point.try_into().map_err(|_| KeyError::Form)?;
        let key = VerifyingKey::from_bytes(point).map_err(|_| KeyError::Point)?;
        // A key of small order has signatures that hold for many messages.
        if key.is_weak() {
            return Err(KeyError::Point);
        }
        let parsed = Self { name: name.parse()?, algorithm, key };
        if hex::encode(parsed.id()) == id { Ok(parsed) } else { Err(KeyError::Id) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&[self.algorithm.byte()][..], self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(blob))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A log's secret key. Whoever holds it can sign any history; a witness is what limits that.
pub struct LogKey {
    secret: SigningKey,
    verifier: VerifierKey,
}

impl LogKey {
    /// The key of the log `origin` from its 32-byte seed (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(origin: Origin, seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        let verifier = VerifierKey {
            name: origin,
            algorithm: Algorithm::Ed25519,
            key: secret.verifying_key(),
        };
        Self { secret, verifier }
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({})", self.verifier)
    }
}
