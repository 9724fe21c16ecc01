//! `borescope build`: check a script's folder and make its bundle.
//!
//! For scripts that are only SQL no toolchain is needed: the component is the stock one
//! ([`crate::stock`]), and the same folder gives the same digest on every machine. For scripts in Rust
//! cargo builds the component ([`crate::cargo`]), and its sources come along ([`crate::source`]).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::bundle::{COMPONENT_PATH, INDEX_PATH};
use domain::{BundleIndex, BundlePath, Digest};
use sandbox::Sandbox;
use serde::Serialize;

use super::Call;
use crate::bundle::{Bundle, write_index};
use crate::exit::{Exit, Failure};
use crate::out::{Out, Style};
use crate::source::{SOURCE_PATH, pack};
use crate::view::bytes;
use crate::{cargo, project, stock};

/// Where a script's bundle goes, below its folder.
const BUNDLE_DIR: &str = "target/bundle";

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope build                    the script in this folder
  borescope build late-orders        the script in another one
  borescope plan late-orders         what its queries can touch and return

Checks manifest, schema and SQL as the server does, then writes target/bundle with bundle.sha256;
`sha256sum -c bundle.sha256` works there. A folder without Cargo.toml is a script that is only SQL: it
needs no toolchain, its component comes with this program, and every parameter needs a `from`. With
Cargo.toml it is built by cargo for wasm32-wasip2, and source.tar holds what it was built from.")]
pub(crate) struct BuildArgs {
    /// The script's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// What was made.
#[derive(Debug, Serialize)]
pub(crate) struct Built {
    /// The revision.
    pub(crate) revision: Digest,
    /// Where it is.
    pub(crate) bundle: PathBuf,
    /// The version of the stock component in it.
    pub(crate) stock: Option<&'static str>,
}

/// Builds and says what to do next.
pub(crate) fn command(call: &Call<'_>, args: &BuildArgs) -> anyhow::Result<Exit> {
    let (built, bundle) = build(call.out, &args.dir)?;
    if call.out.json {
        call.out.json(&built)?;
        return Ok(Exit::Ok);
    }
    let name = format!("{} {}", bundle.manifest.name, bundle.manifest.version);
    call.out.line(format!("built {}", call.out.style(Style::Bold, &name)))?;
    call.out.line(format!("revision {}", built.revision))?;
    call.out.line(format!("bundle   {}", built.bundle.display()))?;
    let with = match bundle.size_of(SOURCE_PATH) {
        None => stock::in_words(&bundle.component_digest()),
        Some(source) => format!(
            "a component of {}, built from {SOURCE_PATH} of {}",
            bytes(bundle.component()?.len() as u64),
            bytes(source)
        ),
    };
    call.out.field("with     ", &with)?;
    let dir = args.dir.display();
    call.out.note(format!("next: borescope test {dir} && borescope submit {dir}"));
    Ok(Exit::Ok)
}

/// Whether a folder is a script as its author keeps it, rather than a bundle.
pub(crate) fn is_project(dir: &Path) -> bool {
    dir.join(domain::bundle::MANIFEST_PATH).is_file() && !dir.join(COMPONENT_PATH).exists()
}

/// Checks the folder and writes its bundle anew.
pub(crate) fn build(out: Out, dir: &Path) -> anyhow::Result<(Built, Bundle)> {
    let bundle = assemble(out, dir)?;
    let place = dir.join(BUNDLE_DIR);
    write(&place, &bundle.files)?;
    write_index(&place, &bundle.index)?;
    let stock = stock::version_of(&bundle.component_digest());
    Ok((Built { revision: bundle.revision, bundle: place, stock }, bundle))
}

/// Checks the folder and makes its bundle, without writing it.
pub(crate) fn assemble(out: Out, dir: &Path) -> anyhow::Result<Bundle> {
    let has_code = dir.join("Cargo.toml").exists();
    let mut files = project::read_all(dir, !has_code)?;
    let component = if has_code {
        // Cargo names files by their whole paths.
        let dir = fs::canonicalize(dir).with_context(|| format!("{}", dir.display()))?;
        let built = cargo::build(out, &dir, &cargo::Tools::Own)?;
        files.insert(SOURCE_PATH.parse()?, pack(&dir, &built.read)?);
        check_component(&built.component)?;
        built.component
    } else {
        stock::COMPONENT.to_vec()
    };
    files.insert(COMPONENT_PATH.parse()?, component);
    let digests = files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes)));
    Bundle::check(BundleIndex::new(digests.collect())?, files)
}

/// What the server would refuse, the author hears now.
fn check_component(component: &[u8]) -> anyhow::Result<()> {
    let max = domain::bundle::COMPONENT_BYTES_MAX;
    if component.len() as u64 > max {
        let size = bytes(component.len() as u64);
        return Err(Failure::usage(
            format!("the component has {size}, and at most {} are allowed", bytes(max)),
            "build it for size: [profile.release] opt-level = \"s\", lto = true, strip = \"debuginfo\"",
        )
        .into());
    }
    Sandbox::inspect(component).map(|_| ()).map_err(|e| {
        let problem = crate::exit::chain(&e.into());
        Failure::usage(
            format!("the component is refused: {problem}"),
            "a script has no files, sockets or threads: leave out the crate that wants them",
        )
        .into()
    })
}

/// Replaces the bundle of the last build. What is no bundle is not removed.
fn write(place: &Path, files: &BTreeMap<BundlePath, Vec<u8>>) -> anyhow::Result<()> {
    if place.exists() {
        let empty = fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_none());
        if !empty && !place.join(INDEX_PATH).is_file() {
            return Err(Failure::usage(
                format!("{} is no bundle of an earlier build", place.display()),
                "move it away; bundles are made there",
            )
            .into());
        }
        fs::remove_dir_all(place).with_context(|| format!("cannot replace {}", place.display()))?;
    }
    // The list comes first: whatever ends this early leaves something that the next build may replace.
    fs::create_dir_all(place).with_context(|| format!("cannot create {}", place.display()))?;
    fs::write(place.join(INDEX_PATH), b"")
        .with_context(|| format!("cannot write in {}", place.display()))?;
    for (path, bytes) in files {
        let file = place.join(path.as_str());
        let folder = file.parent().unwrap_or(place);
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
