//! Key files and other secrets on disk: read whole, written once, mode 0600.
//!
//! The format is OpenSSH's, by crate `trust`; what a key may sign is nobody's business here.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use domain::Entropy;
use trust::{PublicKey, SecretKey};

use crate::exit::Failure;

/// The largest key file that is read.
const KEY_FILE_BYTES_MAX: u64 = 64 << 10;

/// Reads a private key that only its owner may read.
pub(crate) fn read(path: &Path) -> anyhow::Result<SecretKey> {
    let place = path.display();
    let meta = fs::metadata(path).map_err(|e| {
        Failure::usage(
            format!("the key {place} cannot be read: {e}"),
            "give the path of your OpenSSH private key with --key",
        )
    })?;
    if meta.len() > KEY_FILE_BYTES_MAX {
        return Err(Failure::usage(
            format!("{place} is no private key: it has {} bytes", meta.len()),
            "give the path of your OpenSSH private key with --key",
        )
        .into());
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(Failure::usage(
            format!("others may read the private key {place}"),
            format!("chmod 600 {place}"),
        )
        .into());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {place}"))?;
    Ok(SecretKey::from_openssh(&text).map_err(|e| {
        Failure::usage(
            format!("{place}: {e}"),
            "use an ed25519 key without passphrase: ssh-keygen -t ed25519 -N ''",
        )
    })?)
}

/// Makes a key pair at `path` and `path.pub`, or reads the one that is there.
pub(crate) fn make_or_read(
    path: &Path,
    comment: &str,
    entropy: &dyn Entropy,
) -> anyhow::Result<SecretKey> {
    if path.exists() {
        return read(path);
    }
    let key = SecretKey::generate(entropy)?;
    write_secret(path, key.to_openssh(comment).as_bytes())?;
    let line = format!("{} {comment}\n", key.public());
    let public = path.with_extension("pub");
    fs::write(&public, line).with_context(|| format!("cannot write {}", public.display()))?;
    Ok(key)
}

/// Reads a `.pub` file.
pub(crate) fn read_public(path: &Path) -> anyhow::Result<PublicKey> {
    let place = path.display();
    let line = fs::read_to_string(path).with_context(|| format!("cannot read {place}"))?;
    PublicKey::parse_line(line.trim()).with_context(|| format!("{place}"))
}

/// 32 secret bytes at `path`, made when there are none.
pub(crate) fn seed(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<[u8; 32]> {
    let place = path.display();
    if !path.exists() {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        write_secret(path, format!("{}\n", hex::encode(seed)).as_bytes())?;
        return Ok(seed);
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {place}"))?;
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| {
        Failure::usage(
            format!("{place} does not hold 64 hex digits"),
            "restore it from a backup; a runner with another key is another runner",
        )
    })?;
    Ok(seed)
}

/// Writes a file that only its owner may read; there must be none yet.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Replaces a file that only its owner may read.
pub(crate) fn replace_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    match fs::remove_file(&partial) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(e).with_context(|| format!("cannot replace {}", partial.display()));
        }
        _ => {}
    }
    write_secret(&partial, bytes)?;
    fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests;
