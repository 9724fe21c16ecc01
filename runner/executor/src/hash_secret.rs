//! The secret that hashed columns are hashed with, and the keys that come of it.
//!
//! A file of its own beside the runner's pin, made at the first start, read by nobody else and sent
//! nowhere. A key is derived for each grant and class (HKDF-SHA256, RFC 5869): what one grant's runs
//! saw cannot be compared with what another's saw, and who knows a key knows no other. If the file is
//! lost, a new one is made: hashes of one grant before and after are then no longer equal, and
//! nothing else is lost.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use domain::mask::HashClass;
use domain::{Digest, Entropy, Mask, RunId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use targets::{HashKey, HashKeys};
use trust::PolicyTarget;
use zeroize::Zeroizing;

const SECRET_FILE: &str = "hash.secret";
const SECRET_BYTES: usize = 32;
/// HKDF's salt: what the keys are for.
const PURPOSE: &[u8] = b"hashed columns of borescope, v1";

/// Why the secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read or made.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is not {SECRET_BYTES} bytes; remove it, and a new one is made", .0.display())]
    Malformed(PathBuf),
    /// Others may read it.
    #[error("{} can be read by others; chmod 600 it, or remove it, and a new one is made", .0.display())]
    Open(PathBuf),
}

/// What keys of one run are derived for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grant<'a> {
    /// All runs of one access request: the digest of its payload.
    Request(Digest),
    /// A run without one.
    Run(&'a RunId),
}

/// The secret. It leaves memory when dropped and is never shown.
pub(crate) struct HashSecret(Zeroizing<[u8; SECRET_BYTES]>);

impl HashSecret {
    /// Reads the secret in a runner's directory, or makes it.
    ///
    /// # Errors
    /// See [`SecretError`]: nothing is hashed with a secret that others know, or half of one.
    pub(crate) fn open(dir: &Path, entropy: &dyn Entropy) -> Result<Self, SecretError> {
        let path = dir.join(SECRET_FILE);
        let io = |source| SecretError::Io { path: path.clone(), source };
        match File::open(&path) {
            Ok(file) => return Self::read(file, &path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(io(e)),
        }
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        entropy.fill(&mut *secret);
        let partial = dir.join("hash.secret.partial");
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&partial).map_err(io)?;
        file.write_all(&*secret).and_then(|()| file.sync_all()).map_err(io)?;
        // If we die before this, another one is made at the next start; nothing was hashed with this one.
        std::fs::rename(&partial, &path).map_err(io)?;
        File::open(dir).and_then(|d| d.sync_all()).map_err(io)?;
        Ok(Self(secret))
    }

    fn read(file: File, path: &Path) -> Result<Self, SecretError> {
        let io = |source| SecretError::Io { path: path.to_owned(), source };
        let meta = file.metadata().map_err(io)?;
        if meta.mode() & 0o077 != 0 {
            return Err(SecretError::Open(path.to_owned()));
        }
        let mut bytes = Zeroizing::new(Vec::new());
        // One more than there should be tells a longer file.
        file.take(SECRET_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
        let secret = <[u8; SECRET_BYTES]>::try_from(bytes.as_slice());
        let secret = secret.map_err(|_| SecretError::Malformed(path.to_owned()))?;
        Ok(Self(Zeroizing::new(secret)))
    }

    /// The keys of all classes that a target's masks name.
    pub(crate) fn keys(&self, grant: &Grant<'_>, target: &PolicyTarget) -> HashKeys {
        let class = |mask: &Mask| match mask {
            Mask::KeyedHash { class } => Some(class.clone()),
            _ => None,
        };
        let classes = target.masks.iter().filter_map(|m| class(&m.mask));
        classes.filter_map(|class| Some((class.clone(), self.key(grant, &class)?))).collect()
    }

    fn key(&self, grant: &Grant<'_>, class: &HashClass) -> Option<HashKey> {
        let grant = match grant {
            Grant::Request(digest) => format!("request {digest}"),
            Grant::Run(run) => format!("run {run}"),
        };
        // No part has a line break, so no two grants or classes make one text.
        let info = format!("{grant}\n{class}");
        hkdf_sha256(PURPOSE, &*self.0, info.as_bytes()).map(HashKey::new)
    }
}

/// The first block of HKDF-SHA256, which is all that a key of its size needs.
fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let extracted = hmac_sha256(salt, &[secret])?;
    hmac_sha256(&*extracted, &[info, &[1]])
}

/// HMAC takes keys of any length, so there is always one.
fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Option<Zeroizing<[u8; 32]>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(Zeroizing::new(mac.finalize().into_bytes().into()))
}

#[cfg(test)]
mod tests;
