//! A revision as files for an editor: what is reviewed in `new`, what was approved last in `old`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use domain::bundle::INDEX_PATH;

use crate::exit::Failure;
use crate::view::change::Side;

/// Writes both. The folder is made, or is there and empty.
///
/// # Errors
/// When something is in the folder already, or it cannot be written.
pub(super) fn write(dir: &Path, new: &Side<'_>, old: Option<&Side<'_>>) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut entries =
        fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    if entries.next().is_some() {
        return Err(Failure::usage(
            format!("{} is not empty; nothing was written", dir.display()),
            "name a folder that is not there yet",
        )
        .into());
    }
    side(&dir.join("new"), new)?;
    old.map_or(Ok(()), |old| side(&dir.join("old"), old))
}

/// Paths were checked when index and archive were parsed: plain segments, none of them `.` or `..`.
fn side(dir: &Path, side: &Side<'_>) -> anyhow::Result<()> {
    file(&dir.join(INDEX_PATH), &side.bundle.index.to_bytes())?;
    for (path, bytes) in &side.bundle.files {
        file(&dir.join(path.as_str()), bytes)?;
    }
    for (path, bytes) in side.source.iter().flatten().flatten() {
        file(&dir.join("source").join(path), bytes)?;
    }
    Ok(())
}

/// Replaces nothing that is there.
fn file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        std::io::Write::write_all(&mut file, bytes)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}
