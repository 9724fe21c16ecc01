//! SSHSIG, the signature format of `ssh-keygen -Y sign` (OpenSSH's PROTOCOL.sshsig), for ed25519
//! keys, plain and on security keys (PROTOCOL.u2f).
//!
//! A signature is bound to a namespace, which is how a review can never pass as an approval. Stock
//! `ssh-keygen -Y verify` accepts what we write and we accept what `ssh-keygen -Y sign` writes, as
//! long as the hash is sha512. We refuse what it accepts without a word: a security key's signature
//! that nobody touched the key for. Not here: what is signed ([`crate::envelope`]) and who may sign.

use ed25519_dalek::Signature as Ed25519;
use sha2::{Digest as _, Sha256, Sha512};

use crate::key::{Fingerprint, KeyError, PublicKey};
use crate::secret::SecretKey;
use crate::wire::{Reader, armor, dearmor, put_string};

const MAGIC: &[u8; 6] = b"SSHSIG";
const LABEL: &str = "SSH SIGNATURE";
const HASH: &[u8] = b"sha512";
/// A security key's SSHSIG with the longest namespace has under 400 bytes.
pub(crate) const BLOB_BYTES_MAX: usize = 512;

/// Flags of a security key's signature (WebAuthn, authenticator data): somebody touched it.
const USER_PRESENT: u8 = 0x01;
/// All flags that may be set: user present, user verified, backup eligible, backed up. Of the others
/// two announce data that an SSH signature does not have, and two are reserved.
const FLAGS_KNOWN: u8 = USER_PRESENT | 0x04 | 0x08 | 0x10;

/// Why a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshsigError {
    /// Not an SSHSIG, or not in its one form.
    #[error("the signature is not a well-formed SSHSIG: {0}")]
    Malformed(&'static str),
    /// Its key is refused.
    #[error("the signature's key: {0}")]
    Key(KeyError),
    /// Made for another purpose or another trust domain.
    #[error("the signature is made for namespace `{got}`, not for `{want}`")]
    Namespace {
        /// What is needed.
        want: String,
        /// What it has, neutralised.
        got: String,
    },
    /// It does not fit the bytes.
    #[error("the signature does not fit: the document or the signature has been changed")]
    Mismatch,
    /// A security key signed, and nobody touched it.
    #[error(
        "the security key signed without being touched, so nobody is known to have wanted it; use a \
         key that asks for a touch: ssh-keygen -t ed25519-sk, without -O no-touch-required"
    )]
    Untouched,
    /// Flags that an SSH signature of a security key cannot have.
    #[error("the security key's signature has flags {0:#04x}, which are not accepted")]
    Flags(u8),
    /// Another key signed than the one that was asked to.
    #[error("the signature is by the key {got}, not by {want}")]
    OtherKey {
        /// Which key should have signed.
        want: Fingerprint,
        /// Which one did.
        got: Fingerprint,
    },
}

/// A parsed signature. Equal values have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sshsig {
    key: PublicKey,
    namespace: String,
    signature: [u8; 64],
    /// What a security key adds; there exactly when the key is on one.
    touch: Option<Touch>,
}

/// What a security key signs besides the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Touch {
    flags: u8,
    counter: u32,
}

impl Sshsig {
    /// Signs `message` for `namespace`.
    #[must_use]
    pub fn sign(key: &SecretKey, namespace: &str, message: &[u8]) -> Self {
        let signature = key.sign_raw(&signed_bytes(namespace, &Sha512::digest(message)));
        let key = key.public().clone();
        Self { key, namespace: namespace.to_owned(), signature, touch: None }
    }

    /// Checks it over `message`. Whose the key is remains the caller's question.
    ///
    /// # Errors
    /// Another namespace, other bytes, or a security key that nobody touched.
    pub fn verify(&self, namespace: &str, message: &[u8]) -> Result<(), SshsigError> {
        self.verify_hash(namespace, &Sha512::digest(message))
    }

    pub(crate) fn verify_hash(&self, namespace: &str, hash: &[u8]) -> Result<(), SshsigError> {
        if self.namespace != namespace {
            let got = domain::display::neutralise(&self.namespace);
            return Err(SshsigError::Namespace { want: namespace.to_owned(), got });
        }
        let mut message = signed_bytes(namespace, hash);
        if let (Some(application), Some(touch)) = (self.key.application(), self.touch) {
            message = touch.signed_bytes(application, &message);
        }
        self.key
            .inner()
            .verify_strict(&message, &Ed25519::from_bytes(&self.signature))
            .map_err(|_| SshsigError::Mismatch)?;
        self.touch.map_or(Ok(()), Touch::check)
    }

    /// The key that it claims; proven only by [`Self::verify`].
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Parses the binary form.
    ///
    /// # Errors
    /// Anything but the one encoding: another version, key type, hash, reserved bytes, bytes left.
    pub fn from_blob(blob: &[u8]) -> Result<Self, SshsigError> {
        let bad = SshsigError::Malformed;
        let cut = || bad("cut short");
        if blob.len() > BLOB_BYTES_MAX {
            return Err(bad("too long"));
        }
        let mut r = Reader::new(blob);
        if r.take(MAGIC.len()) != Some(MAGIC) {
            return Err(bad("it does not begin with SSHSIG"));
        }
        if r.u32() != Some(1) {
            return Err(bad("its version is not 1"));
        }
        let key = PublicKey::from_blob(r.string().ok_or_else(cut)?).map_err(SshsigError::Key)?;
        let namespace = std::str::from_utf8(r.string().ok_or_else(cut)?)
            .map_err(|_| bad("its namespace is not UTF-8"))?;
        if namespace.is_empty() {
            return Err(bad("its namespace is empty"));
        }
        if !r.string().ok_or_else(cut)?.is_empty() {
            return Err(bad("its reserved field is not empty"));
        }
        if r.string().ok_or_else(cut)? != HASH {
            return Err(bad("its hash is not sha512"));
        }
        let mut inner = Reader::new(r.string().ok_or_else(cut)?);
        if !r.is_empty() {
            return Err(bad("bytes after the signature"));
        }
        if inner.string() != Some(key.key_type().as_bytes()) {
            return Err(bad("its signature is of another type than its key"));
        }
        let signature = inner.string().ok_or_else(cut)?;
        let touch = match key.application() {
            None => None,
            Some(_) => Some(Touch::read(&mut inner).ok_or_else(cut)?),
        };
        if !inner.is_empty() {
            return Err(bad("bytes after the signature"));
        }
        let signature = signature.try_into().map_err(|_| bad("its signature is not 64 bytes"))?;
        Ok(Self { key, namespace: namespace.to_owned(), signature, touch })
    }

    /// The binary form.
    #[must_use]
    pub fn to_blob(&self) -> Vec<u8> {
        let mut inner = Vec::with_capacity(103);
        put_string(&mut inner, self.key.key_type().as_bytes());
        put_string(&mut inner, &self.signature);
        if let Some(touch) = self.touch {
            inner.push(touch.flags);
            inner.extend_from_slice(&touch.counter.to_be_bytes());
        }
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&1u32.to_be_bytes());
        for part in [&self.key.to_blob()[..], self.namespace.as_bytes(), b"", HASH, &inner] {
            put_string(&mut out, part);
        }
        out
    }

    /// Parses the text that `ssh-keygen -Y sign` writes.
    ///
    /// # Errors
    /// As [`Self::from_blob`].
    pub fn from_armored(text: &str) -> Result<Self, SshsigError> {
        let blob = dearmor(LABEL, text).ok_or(SshsigError::Malformed("bad armor"))?;
        Self::from_blob(&blob)
    }

    /// The text that `ssh-keygen -Y verify` reads.
    #[must_use]
    pub fn to_armored(&self) -> String {
        armor(LABEL, &self.to_blob())
    }
}

impl Touch {
    fn read(r: &mut Reader<'_>) -> Option<Self> {
        let flags = r.take(1)?.first().copied()?;
        Some(Self { flags, counter: r.u32()? })
    }

    /// SHA-256 of the application, flags, counter, SHA-256 of the message.
    fn signed_bytes(self, application: &str, message: &[u8]) -> Vec<u8> {
        let mut out = Sha256::digest(application.as_bytes()).to_vec();
        out.push(self.flags);
        out.extend_from_slice(&self.counter.to_be_bytes());
        out.extend_from_slice(&Sha256::digest(message));
        out
    }

    /// The counter is not judged: nobody keeps it, and a cloned key is the directory's business.
    const fn check(self) -> Result<(), SshsigError> {
        if self.flags & !FLAGS_KNOWN != 0 {
            return Err(SshsigError::Flags(self.flags));
        }
        if self.flags & USER_PRESENT == 0 {
            return Err(SshsigError::Untouched);
        }
        Ok(())
    }
}

/// What the key signs: magic, namespace, reserved, hash name, hash.
fn signed_bytes(namespace: &str, hash: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for part in [namespace.as_bytes(), b"", HASH, hash] {
        put_string(&mut out, part);
    }
    out
}

#[cfg(test)]
mod tests;
