//! Public keys as people have them: OpenSSH lines `ssh-ed25519 AAAA… comment` and fingerprints, and
//! the same for ed25519 security keys (FIDO), `sk-ssh-ed25519@openssh.com`.
//!
//! Not here: private keys ([`crate::secret`]), what a signature must prove ([`crate::sshsig`]) and
//! who holds a key ([`crate::authority`]).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};

use crate::wire::{Reader, base64_of, from_base64, put_string};

/// The type of a plain key.
pub(crate) const KEY_TYPE: &str = "ssh-ed25519";
/// The type of a key on a security key.
pub(crate) const SK_KEY_TYPE: &str = "sk-ssh-ed25519@openssh.com";
/// Bytes of a security key's application; `ssh-keygen` writes `ssh:` and people add little.
const APPLICATION_BYTES_MAX: usize = 64;

/// Why a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Another algorithm.
    #[error(
        "{0} keys are not accepted; use an ed25519 key (ssh-keygen -t ed25519) or an ed25519 \
         security key (ssh-keygen -t ed25519-sk)"
    )]
    Kind(String),
    /// Not an OpenSSH public key.
    #[error("this is not an OpenSSH public key ({0}); expected a line as in id_ed25519.pub")]
    Public(&'static str),
    /// A point of small order: anybody can sign for it.
    #[error("this ed25519 key is weak: its signatures prove nothing; make a new one")]
    Weak,
    /// A security key for something else than SSH.
    #[error(
        "this security key is for another application than `ssh:…`; make one for SSH: \
         ssh-keygen -t ed25519-sk"
    )]
    Application,
    /// Not an OpenSSH private key file.
    #[error("this is not an OpenSSH private key file ({0}); make one: ssh-keygen -t ed25519")]
    Private(&'static str),
    /// A private key that this process cannot use by itself: under a passphrase, or on a security
    /// key.
    #[error(
        "this private key has a passphrase or is on a security key; where no person signs, use a \
         key without: ssh-keygen -t ed25519 -N ''"
    )]
    Locked,
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

/// An ed25519 public key that is not weak, plain or on a security key. Text form: `ssh-ed25519
/// AAAA…` or `sk-ssh-ed25519@openssh.com AAAA…`, without a comment.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    point: VerifyingKey,
    /// What the security key signs for; `None` for a plain key.
    application: Option<String>,
}

impl PublicKey {
    /// A plain key, from the 32 bytes of RFC 8032.
    ///
    /// # Errors
    /// When they are no point of the curve, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes)
            .map_err(|_| KeyError::Public("no point of the curve"))?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self { point: key, application: None })
    }

    /// The same point on a security key that signs for `application`.
    fn on_security_key(self, application: &[u8]) -> Result<Self, KeyError> {
        let fits = application.starts_with(b"ssh:")
            && application.len() <= APPLICATION_BYTES_MAX
            && application.iter().all(u8::is_ascii_graphic);
        match std::str::from_utf8(application) {
            Ok(text) if fits => Ok(Self { application: Some(text.to_owned()), ..self }),
            _ => Err(KeyError::Application),
        }
    }

    /// The 32 bytes of RFC 8032: the key's material. Two keys with the same bytes have one holder,
    /// whatever their types say.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.point.as_bytes()
    }

    /// The application of a key on a security key; `None` for a plain key.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        self.application.as_deref()
    }

    /// OpenSSH's name of its type.
    pub(crate) const fn key_type(&self) -> &'static str {
        if self.application.is_some() { SK_KEY_TYPE } else { KEY_TYPE }
    }

    /// From OpenSSH's wire form.
    ///
    /// # Errors
    /// Another kind of key, bytes left over, another application than SSH's, or a weak key.
    pub fn from_blob(blob: &[u8]) -> Result<Self, KeyError> {
        let cut = || KeyError::Public("cut short");
        let mut r = Reader::new(blob);
        let kind = r.string().ok_or_else(cut)?;
        if kind != KEY_TYPE.as_bytes() && kind != SK_KEY_TYPE.as_bytes() {
            let kind = String::from_utf8_lossy(kind).chars().take(64).collect::<String>();
            return Err(KeyError::Kind(domain::display::neutralise(&kind)));
        }
        let bytes = r.string().ok_or_else(cut)?;
        let bytes = bytes.try_into().map_err(|_| KeyError::Public("not 32 bytes"))?;
        let mut key = Self::from_bytes(bytes)?;
        if kind == SK_KEY_TYPE.as_bytes() {
            key = key.on_security_key(r.string().ok_or_else(cut)?)?;
        }
        if !r.is_empty() {
            return Err(KeyError::Public("bytes after the key"));
        }
        Ok(key)
    }

    /// OpenSSH's wire form.
    #[must_use]
    pub fn to_blob(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(74);
        put_string(&mut out, self.key_type().as_bytes());
        put_string(&mut out, self.as_bytes());
        if let Some(application) = &self.application {
            put_string(&mut out, application.as_bytes());
        }
        out
    }

    /// Parses a line of a `.pub` file; its comment is ignored.
    ///
    /// # Errors
    /// When it is no ed25519 key, plain or on a security key, or options stand before it.
    pub fn parse_line(line: &str) -> Result<Self, KeyError> {
        let mut words = line.trim_end().splitn(3, ' ');
        let kind = words.next().unwrap_or_default();
        let known = ["ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-"].iter().any(|p| kind.starts_with(p));
        let accepted = [KEY_TYPE, SK_KEY_TYPE].contains(&kind);
        if known && !accepted {
            let kind = kind.chars().take(64).collect::<String>();
            return Err(KeyError::Kind(domain::display::neutralise(&kind)));
        }
        if !accepted {
            return Err(KeyError::Public("it does not begin with ssh-ed25519"));
        }
        let blob = words.next().and_then(from_base64).ok_or(KeyError::Public("bad base64"))?;
        let key = Self::from_blob(&blob)?;
        if key.key_type() != kind {
            return Err(KeyError::Public("its two types differ"));
        }
        Ok(key)
    }

    /// `SHA256:` and the unpadded base64 of the SHA-256 of the wire form.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let digest = Sha256::digest(self.to_blob());
        Fingerprint(format!("SHA256:{}", STANDARD_NO_PAD.encode(digest)))
    }

    pub(crate) const fn inner(&self) -> &VerifyingKey {
        &self.point
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key_type(), base64_of(&self.to_blob()))
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
