//! Key files and other secrets on disk: read whole, written once, mode 0600.
//!
//! The format is OpenSSH's, by crate `trust`; what a key may sign is nobody's business here.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::Entropy;
use trust::{KeyFile, PublicKey, SecretKey};

use crate::exit::Failure;

/// The largest key file that is read.
const KEY_FILE_BYTES_MAX: u64 = 64 << 10;

/// What a mistake about a key is helped by.
const KEY_HELP: &str = "give your OpenSSH key with --key: the private file, or the .pub file of a key \
                        that your agent or security key holds; a new one: ssh-keygen -t ed25519";

/// Reads a private key of this machine, which signs while nobody is there.
pub(crate) fn read(path: &Path) -> anyhow::Result<SecretKey> {
    let place = path.display();
    match parse(path, &text(path)?)? {
        KeyFile::Open(key) => Ok(*key),
        KeyFile::Locked(_) | KeyFile::SecurityKey(_) => Err(Failure::usage(
            format!("{place}: {}", trust::KeyError::Locked),
            "use a key file of its own for whatever signs by itself",
        )
        .into()),
    }
}

/// The text of a key file.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let place = path.display();
    let unreadable =
        |e: io::Error| Failure::usage(format!("the key {place} cannot be read: {e}"), KEY_HELP);
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > KEY_FILE_BYTES_MAX {
        let message = format!("{place} is no key file: it has {bytes} bytes");
        return Err(Failure::usage(message, KEY_HELP).into());
    }
    Ok(fs::read_to_string(path).map_err(unreadable)?)
}

/// Parses the text of a private key file that only its owner may read.
pub(crate) fn parse(path: &Path, text: &str) -> anyhow::Result<KeyFile> {
    let place = path.display();
    let meta = fs::metadata(path).with_context(|| format!("cannot read {place}"))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(Failure::usage(
            format!("others may read the private key {place}"),
            format!("chmod 600 {place}"),
        )
        .into());
    }
    Ok(KeyFile::parse(text).map_err(|e| Failure::usage(format!("{place}: {e}"), KEY_HELP))?)
}

/// The text of a file with a secret, which only its owner may read.
pub(crate) fn secret_text(path: &Path) -> anyhow::Result<String> {
    let place = path.display();
    let unreadable = |e: io::Error| {
        let help = "correct the path, or the owner of the file";
        Failure::usage(format!("{place} cannot be read: {e}"), help)
    };
    let meta = fs::metadata(path).map_err(unreadable)?;
    if meta.permissions().mode() & 0o077 != 0 {
        let help = format!("chmod 600 {place}");
        return Err(Failure::usage(format!("others may read the secret {place}"), help).into());
    }
    if meta.len() > KEY_FILE_BYTES_MAX {
        let message = format!("{place} is no secret: it has {} bytes", meta.len());
        return Err(Failure::usage(message, "give the file with the secret").into());
    }
    Ok(fs::read_to_string(path).map_err(unreadable)?)
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
    let public = public_path(path);
    fs::write(&public, line).with_context(|| format!("cannot write {}", public.display()))?;
    Ok(key)
}

/// Where the public half of a private key file is: `.pub` after its whole name, as OpenSSH has it.
pub(crate) fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// Reads a `.pub` file.
pub(crate) fn read_public(path: &Path) -> anyhow::Result<PublicKey> {
    public(path, &text(path)?)
}

/// Parses the text of a `.pub` file.
pub(crate) fn public(path: &Path, text: &str) -> anyhow::Result<PublicKey> {
    let place = path.display();
    let key = PublicKey::parse_line(text.trim());
    Ok(key.map_err(|e| Failure::usage(format!("{place}: {e}"), KEY_HELP))?)
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
