//! `borescope build`: check a script's folder and make its bundle.
//!
//! For scripts that are only SQL no toolchain is needed: the component is the stock one
//! ([`crate::stock`]), and the same folder gives the same digest on every machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::bundle::{COMPONENT_PATH, INDEX_PATH};
use domain::{BundleIndex, BundlePath, Digest};
use serde::Serialize;

use super::Call;
use crate::bundle::{Bundle, write_index};
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::{project, stock};

/// Where a script's bundle goes, below its folder.
const BUNDLE_DIR: &str = "target/bundle";

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope build                    the script in this folder
  borescope build late-orders        the script in another one

Needs script.toml and queries/*.sql, and no toolchain: the component that runs the queries comes with
this program. Checks manifest, schema and SQL as the server does, then writes target/bundle with
bundle.sha256; `sha256sum -c bundle.sha256` works there. Every parameter needs a `from`: it comes from
the approved input.")]
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
    let (built, bundle) = build(&args.dir)?;
    if call.out.json {
        call.out.json(&built)?;
        return Ok(Exit::Ok);
    }
    let name = format!("{} {}", bundle.manifest.name, bundle.manifest.version);
    call.out.line(format!("built {}", call.out.style(Style::Bold, &name)))?;
    call.out.line(format!("revision {}", built.revision))?;
    call.out.line(format!("bundle   {}", built.bundle.display()))?;
    call.out.field("with     ", &stock::in_words(&bundle.component_digest()))?;
    call.out.note(format!("next: borescope submit {}", args.dir.display()));
    Ok(Exit::Ok)
}

/// Whether a folder is a script as its author keeps it, rather than a bundle.
pub(crate) fn is_project(dir: &Path) -> bool {
    dir.join(domain::bundle::MANIFEST_PATH).is_file() && !dir.join(COMPONENT_PATH).exists()
}

/// Checks the folder and writes its bundle anew.
pub(crate) fn build(dir: &Path) -> anyhow::Result<(Built, Bundle)> {
    if dir.join("Cargo.toml").exists() {
        return Err(Failure::usage(
            format!("{}: a script with code of its own", dir.join("Cargo.toml").display()),
            "build its component with cargo, put it beside script.toml as component.wasm in a folder \
             of its own, and submit that",
        )
        .into());
    }
    let mut files = project::read_sql(dir)?;
    let component: BundlePath = COMPONENT_PATH.parse()?;
    files.insert(component, stock::COMPONENT.to_vec());
    let digests = files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes)));
    let bundle = Bundle::check(BundleIndex::new(digests.collect())?, files)?;
    let place = dir.join(BUNDLE_DIR);
    write(&place, &bundle.files)?;
    write_index(&place, &bundle.index)?;
    let stock = stock::version_of(&bundle.component_digest());
    Ok((Built { revision: bundle.revision, bundle: place, stock }, bundle))
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
