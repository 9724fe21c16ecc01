//! SSHSIG, the signature format of `ssh-keygen -Y sign` (OpenSSH's PROTOCOL.sshsig), for ed25519.
//!
//! A signature is bound to a namespace, which is how a review can never pass as an approval. Stock
//! `ssh-keygen -Y verify` accepts what we write and we accept what `ssh-keygen -Y sign` writes, as
//! long as the hash is sha512. Not here: what is signed ([`crate::envelope`]) and who may sign.

use ed25519_dalek::Signature as Ed25519;
use sha2::{Digest as _, Sha512};

use crate::key::{KEY_TYPE, KeyError, PublicKey};
use crate::secret::SecretKey;
use crate::wire::{Reader, armor, dearmor, put_string};

const MAGIC: &[u8; 6] = b"SSHSIG";
const LABEL: &str = "SSH SIGNATURE";
const HASH: &[u8] = b"sha512";
/// An ed25519 SSHSIG with the longest namespace has under 300 bytes.
pub(crate) const BLOB_BYTES_MAX: usize = 512;

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
}

/// A parsed signature. Equal values have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sshsig {
    key: PublicKey,
    namespace: String,
    signature: [u8; 64],
}

impl Sshsig {
    /// Signs `message` for `namespace`.
    #[must_use]
    pub fn sign(key: &SecretKey, namespace: &str, message: &[u8]) -> Self {
        let signature = key.sign_raw(&signed_bytes(namespace, &Sha512::digest(message)));
        let key = key.public().clone();
        Self { key, namespace: namespace.to_owned(), signature }
    }

    /// Checks it over `message`. Whose the key is remains the caller's question.
    ///
    /// # Errors
    /// Another namespace, or other bytes.
    pub fn verify(&self, namespace: &str, message: &[u8]) -> Result<(), SshsigError> {
        self.verify_hash(namespace, &Sha512::digest(message))
    }

    pub(crate) fn verify_hash(&self, namespace: &str, hash: &[u8]) -> Result<(), SshsigError> {
        if self.namespace != namespace {
            let got = domain::display::neutralise(&self.namespace);
            return Err(SshsigError::Namespace { want: namespace.to_owned(), got });
        }
        self.key
            .inner()
            .verify_strict(&signed_bytes(namespace, hash), &Ed25519::from_bytes(&self.signature))
            .map_err(|_| SshsigError::Mismatch)
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
        if inner.string() != Some(KEY_TYPE.as_bytes()) {
            return Err(bad("its signature is not ssh-ed25519"));
        }
        let signature = inner.string().ok_or_else(cut)?;
        if !inner.is_empty() {
            return Err(bad("bytes after the signature"));
        }
        let signature = signature.try_into().map_err(|_| bad("its signature is not 64 bytes"))?;
        Ok(Self { key, namespace: namespace.to_owned(), signature })
    }

    /// The binary form.
    #[must_use]
    pub fn to_blob(&self) -> Vec<u8> {
        let mut inner = Vec::with_capacity(83);
        put_string(&mut inner, KEY_TYPE.as_bytes());
        put_string(&mut inner, &self.signature);
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
