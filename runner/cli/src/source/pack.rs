//! Makes the archive of what a component was built from, so that whoever has the bundle can read it and
//! build it again. The same files give the same bytes: sorted, without times, owners and modes.
//!
//! What goes in is a closed list of places, the SDK's copy among them; nothing that lies about in the
//! author's folder is published by accident. A component that was built from anything else is refused.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{BLOCK, parse};
use crate::exit::Failure;

/// Files of the folder that go in when they are there.
const FILES: &[&str] =
    &["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "build.rs", ".cargo/config.toml"];
/// Folders that go in, but for what is hidden in them.
const FOLDERS: &[&str] = &["src", "sdk"];

/// Packs the sources of a script, of which the compiler read `read` (absolute, as `dir` is).
///
/// # Errors
/// When the compiler read something that does not go in, or a file cannot be packed.
pub(crate) fn pack(dir: &Path, read: &BTreeSet<PathBuf>) -> Result<Vec<u8>, Failure> {
    let paths = list(dir)?;
    for file in read {
        let inside = file.strip_prefix(dir).ok().map(|f| f.to_string_lossy().into_owned());
        if inside.is_none_or(|f| !paths.contains(&f)) {
            return Err(Failure::usage(
                format!("the script is built from {}, which is not in source.tar", file.display()),
                "reviewers could not read it: move it below src/, and crates of your own too",
            ));
        }
    }
    let mut tar = Vec::new();
    for path in &paths {
        let place = dir.join(path);
        let bytes = fs::read(&place).map_err(|e| unreadable(&place, &e))?;
        add(&mut tar, path, &bytes).ok_or_else(|| {
            Failure::usage(
                format!("{}: the path is too long for a tar file", place.display()),
                "use shorter names",
            )
        })?;
    }
    // Two empty blocks end it.
    tar.resize(tar.len() + 2 * BLOCK, 0);
    match parse(&tar) {
        Ok(_) => Ok(tar),
        Err(e) => Err(Failure::usage(
            format!("reviewers could not read {e}"),
            "rename the file: letters, digits and ._-+@",
        )),
    }
}

/// The paths that go in, sorted.
fn list(dir: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut found: BTreeSet<String> = FILES
        .iter()
        .filter(|file| dir.join(file).is_file())
        .map(|file| (*file).to_owned())
        .collect();
    let mut folders: Vec<String> = FOLDERS.iter().map(|f| (*f).to_owned()).collect();
    while let Some(folder) = folders.pop() {
        let place = dir.join(&folder);
        let Ok(entries) = fs::read_dir(&place) else { continue };
        for entry in entries {
            let entry = entry.map_err(|e| unreadable(&place, &e))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                return Err(Failure::usage(
                    format!("{}: the name is not UTF-8", entry.path().display()),
                    "rename it",
                ));
            };
            if name.starts_with('.') || name == "target" {
                continue;
            }
            let path = format!("{folder}/{name}");
            let kind = entry.file_type().map_err(|e| unreadable(&entry.path(), &e))?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.insert(path);
            } else {
                return Err(Failure::usage(
                    format!("{}: is a link", entry.path().display()),
                    "put the file itself there; source.tar has files only",
                ));
            }
        }
    }
    Ok(found)
}

fn unreadable(place: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{}: cannot be read: {error}", place.display()), "make it readable")
}

/// Adds a file in the format of POSIX (`ustar`); nothing when the path does not fit.
fn add(tar: &mut Vec<u8>, path: &str, bytes: &[u8]) -> Option<()> {
    let (prefix, name) = split(path)?;
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", bytes.len()));
    put(136, "00000000000");
    // The sum counts its own field as blanks.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    put(345, prefix);
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend(header);
    tar.extend(bytes);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    Some(())
}

/// A path as at most 155 bytes, a slash that is left out, and at most 100 bytes.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= 100 {
        return Some(("", path));
    }
    let slashes = path.match_indices('/').map(|(at, _)| at);
    let mut halves = slashes.map(|at| (&path[..at], &path[at + 1..]));
    halves.find(|(prefix, name)| prefix.len() <= 155 && name.len() <= 100)
}

#[cfg(test)]
mod tests;
