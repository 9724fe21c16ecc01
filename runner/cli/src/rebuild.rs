//! Builds a revision's component from its source once more, so that a reviewer knows that what was read
//! is what runs.
//!
//! Building runs the author's build script and macros. So the crates are fetched first, by a cargo that
//! sees nothing but manifests and files that are never run; then all is built offline, confined
//! ([`crate::confine`]). What is compared is bytes: another toolchain gives others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use domain::Digest;
use sandbox::Sandbox;
use serde::Serialize;
use trust::Rebuilt;

use crate::cargo::{self, Tools};
use crate::config::{cargo_home, search_path};
use crate::confine::Room;
use crate::exit::Failure;
use crate::out::Out;
use crate::source::Source;
use crate::stock;
use crate::view::change::Side;

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// For the review.
    pub(crate) rebuilt: Rebuilt,
    /// For whoever reads.
    pub(crate) why: String,
}

/// Builds what is reviewed in a folder below `home`, which is the user's alone.
///
/// # Errors
/// When there is nothing to build it from or with, or no way to confine it. A source that does not build
/// is an error, too: whether the component comes of it stays unknown.
pub(crate) fn rebuild(out: Out, side: &Side<'_>, home: &Path) -> anyhow::Result<Outcome> {
    let expected = side.bundle.component_digest();
    let Some(source) = &side.source else {
        if stock::version_of(&expected).is_some() {
            let why = "the component is a stock one, known by its digest".to_owned();
            return Ok(Outcome { rebuilt: Rebuilt::NotTried, why });
        }
        let help = "ask the author to submit it with its source";
        return Err(Failure::usage("there is no source.tar to build it from", help).into());
    };
    let source = source.as_ref().map_err(|e| anyhow::anyhow!("{e}"))?;
    if !source.contains_key("Cargo.lock") {
        return Err(Failure::usage(
            "source.tar has no Cargo.lock, so what it was built of is not said",
            "ask the author to submit it with one",
        )
        .into());
    }
    fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
    let place = tempfile::Builder::new().prefix("rebuild-").tempdir_in(home)?;
    // Cargo names files by their whole paths.
    let component = build(out, source, &fs::canonicalize(place.path())?)?;
    compare(&component, side, &expected)
}

fn build(out: Out, source: &Source, place: &Path) -> anyhow::Result<Vec<u8>> {
    let (fetched, room) = (place.join("fetch"), place.join("room"));
    let kept = |path: &str| !path.starts_with(".cargo/") && !path.starts_with("rust-toolchain");
    unpack(&fetched, source.iter().filter(|(path, _)| kept(path)))?;
    fetch(out, &fetched)?;
    let dir = room.join("source");
    unpack(&dir, source.iter())?;
    for folder in ["home", "tmp"] {
        fs::create_dir_all(room.join(folder))?;
    }
    let tools = Tools::Confined(Room { tools: readable(), work: room });
    Ok(cargo::build(out, &dir, &tools)?.component)
}

/// Paths were checked when the archive was parsed: plain segments, none of them `.` or `..`.
fn unpack<'s>(
    dir: &Path,
    files: impl Iterator<Item = (&'s String, &'s Vec<u8>)>,
) -> anyhow::Result<()> {
    for (path, bytes) in files {
        let file = dir.join(path);
        let written = || -> std::io::Result<()> {
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&file, bytes)
        };
        written().with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Lets cargo download what the lock file names. Without the author's configuration, and without a
/// toolchain of the author's choice, this runs nothing of theirs.
fn fetch(out: Out, dir: &Path) -> anyhow::Result<()> {
    let progress = out.progress("cargo fetch");
    let mut command = Command::new("cargo");
    command.current_dir(dir).args(["fetch", "--locked", "--target", cargo::TARGET]);
    command.stdin(Stdio::null());
    let fetched = command.output().map_err(|e| cargo::no_program("cargo", &e))?;
    drop(progress);
    if fetched.status.success() {
        return Ok(());
    }
    out.notes(String::from_utf8_lossy(&fetched.stderr).lines().map(str::to_owned));
    let help = "cargo's words are above; mend the network, or leave --rebuild out";
    Err(Failure::usage("its crates cannot be fetched, and nothing was built", help).into())
}

/// What a build reads: the toolchain, and crates. Not cargo's credentials.
fn readable() -> Vec<PathBuf> {
    // A relative entry of the search path would open the folder that the reviewer is in.
    let path = search_path();
    let mut all: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    all.extend(cargo::rustup_home());
    let cargo = cargo_home().into_iter();
    let parts = ["registry", "git", "bin", "config.toml", "config"];
    all.extend(cargo.flat_map(|home| parts.map(|part| home.join(part))));
    all
}

fn compare(component: &[u8], side: &Side<'_>, expected: &Digest) -> anyhow::Result<Outcome> {
    let digest = Digest::of(component);
    if digest == *expected {
        let why = "its source gives the same component, byte for byte".to_owned();
        return Ok(Outcome { rebuilt: Rebuilt::Matched, why });
    }
    let (theirs, here) = (&side.component.made_with, Sandbox::inspect(component)?.made_with);
    let why = if *theirs == here {
        format!("its source gives another component ({}), by the same tools", digest.short())
    } else {
        format!(
            "its source gives another component ({}), by other tools: {} here, {} there",
            digest.short(),
            here.join(", "),
            theirs.join(", ")
        )
    };
    Ok(Outcome { rebuilt: Rebuilt::Differs, why })
}
