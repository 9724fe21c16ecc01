//! Secret keys: OpenSSH private key files (`openssh-key-v1`) of ed25519 keys.
//!
//! Only keys without a passphrase are read into this process. Of a locked file, or the handle of a
//! security key, [`KeyFile`] says whose it is: signing with them is `ssh-keygen`'s, run by whoever
//! has a person at hand. Bytes only: files and their modes are the business of their holder.

use std::fmt;

use domain::Entropy;
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::key::{Fingerprint, KEY_TYPE, KeyError, PublicKey};
use crate::wire::{Reader, armor, dearmor, put_string};

const LABEL: &str = "OPENSSH PRIVATE KEY";
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// The block size of the cipher `none`.
const BLOCK_BYTES: usize = 8;

/// An ed25519 secret key; its memory is zeroed on drop, and it is never printed.
pub struct SecretKey {
    signing: SigningKey,
    public: PublicKey,
}

impl SecretKey {
    /// A fresh key.
    ///
    /// # Errors
    /// Never with real entropy: only a seed whose public key is weak is refused.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        entropy.fill(seed.as_mut());
        Self::from_seed(&seed)
    }

    /// From the 32-byte seed of RFC 8032.
    ///
    /// # Errors
    /// When the public key is weak.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let signing = SigningKey::from_bytes(seed);
        let public = PublicKey::from_bytes(&signing.verifying_key().to_bytes())?;
        Ok(Self { signing, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The fingerprint of the public half.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.public.fingerprint()
    }

    /// The seed, for code that signs another format with the same key, as a ledger's checkpoints.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing.to_bytes())
    }

    pub(crate) fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }

    /// Reads the text of a private key file without a passphrase.
    ///
    /// # Errors
    /// Another kind of key, a passphrase, a security key, or a file that is not as `ssh-keygen`
    /// writes it.
    pub fn from_openssh(text: &str) -> Result<Self, KeyError> {
        match KeyFile::parse(text)? {
            KeyFile::Open(key) => Ok(*key),
            KeyFile::Locked(_) | KeyFile::SecurityKey(_) => Err(KeyError::Locked),
        }
    }

    fn from_private_section(section: &[u8], public: &PublicKey) -> Result<Self, KeyError> {
        let cut = || KeyError::Private("cut short");
        let mut r = Reader::new(section);
        if r.u32().ok_or_else(cut)? != r.u32().ok_or_else(cut)? {
            return Err(KeyError::Private("its check numbers differ"));
        }
        if r.string() != Some(KEY_TYPE.as_bytes()) {
            return Err(KeyError::Private("its private part is of another kind"));
        }
        let inner_public = r.string().ok_or_else(cut)?;
        let pair = r.string().ok_or_else(cut)?;
        let _comment = r.string().ok_or_else(cut)?;
        let padding_is_right = (1u8..).zip(r.rest()).all(|(want, got)| want == *got);
        if !section.len().is_multiple_of(BLOCK_BYTES)
            || r.rest().len() >= BLOCK_BYTES
            || !padding_is_right
        {
            return Err(KeyError::Private("bad padding"));
        }
        let (seed, tail) = pair.split_at_checked(32).ok_or_else(cut)?;
        let mut copy = Zeroizing::new([0u8; 32]);
        copy.copy_from_slice(seed);
        let key = Self::from_seed(&copy)?;
        let consistent = [inner_public, tail].iter().all(|p| *p == key.public.as_bytes());
        if !consistent || key.public != *public {
            return Err(KeyError::Private("its halves do not belong together"));
        }
        Ok(key)
    }

    /// Writes a private key file without a passphrase, as `ssh-keygen` does.
    #[must_use]
    pub fn to_openssh(&self, comment: &str) -> Zeroizing<String> {
        let mut section = Zeroizing::new(Vec::with_capacity(256));
        // The check numbers only tell a wrong passphrase, and there is none.
        let check = &self.public.as_bytes()[..4];
        section.extend_from_slice(check);
        section.extend_from_slice(check);
        put_string(&mut section, KEY_TYPE.as_bytes());
        put_string(&mut section, self.public.as_bytes());
        let pair = Zeroizing::new(self.signing.to_keypair_bytes());
        put_string(&mut section, pair.as_ref());
        put_string(&mut section, comment.as_bytes());
        for n in 1u8.. {
            if section.len().is_multiple_of(BLOCK_BYTES) {
                break;
            }
            section.push(n);
        }
        let mut out = Zeroizing::new(MAGIC.to_vec());
        for text in [b"none".as_slice(), b"none", b""] {
            put_string(&mut out, text);
        }
        out.extend_from_slice(&1u32.to_be_bytes());
        put_string(&mut out, &self.public.to_blob());
        put_string(&mut out, &section);
        Zeroizing::new(armor(LABEL, &out))
    }
}

/// What a private key file holds.
#[derive(Debug)]
pub enum KeyFile {
    /// A key that can be used right away.
    Open(Box<SecretKey>),
    /// A key under a passphrase, with the public half that the file claims; a signature proves it.
    Locked(PublicKey),
    /// The handle of a key on a security key.
    SecurityKey(PublicKey),
}

impl KeyFile {
    /// Whether a text is meant to be a private key file.
    #[must_use]
    pub fn is_private(text: &str) -> bool {
        text.starts_with("-----BEGIN ")
    }

    /// Reads the text of a private key file.
    ///
    /// # Errors
    /// Another kind of key, or a file that is not as `ssh-keygen` writes it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let pem = |kind: &str| text.starts_with(&format!("-----BEGIN {kind}"));
        if pem("RSA") || pem("EC") || pem("DSA") {
            return Err(KeyError::Kind("PEM (RSA, DSA, ECDSA)".to_owned()));
        }
        let bytes = Zeroizing::new(dearmor(LABEL, text).ok_or(KeyError::Private("bad armor"))?);
        let cut = || KeyError::Private("cut short");
        let mut r = Reader::new(&bytes);
        if r.take(MAGIC.len()) != Some(MAGIC) {
            return Err(KeyError::Private("not openssh-key-v1"));
        }
        let (cipher, kdf) = (r.string().ok_or_else(cut)?, r.string().ok_or_else(cut)?);
        let options = r.string().ok_or_else(cut)?;
        if r.u32() != Some(1) {
            return Err(KeyError::Private("not exactly one key"));
        }
        let public = PublicKey::from_blob(r.string().ok_or_else(cut)?)?;
        if public.application().is_some() {
            return Ok(Self::SecurityKey(public));
        }
        if cipher != b"none" || kdf != b"none" {
            return Ok(Self::Locked(public));
        }
        let private = r.string().ok_or_else(cut)?;
        if !options.is_empty() || !r.is_empty() {
            return Err(KeyError::Private("bytes after the key"));
        }
        SecretKey::from_private_section(private, &public).map(|key| Self::Open(Box::new(key)))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests;
