//! Embeds the sources of the SDK for Rust: `OUT_DIR/sdk.rs` with every file, a manifest above them that has
//! what they take from this workspace, and a lock file of the same versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::guests::{Failure, rerun_if_changed, write_changed};

/// Folders of the SDK that scripts in Rust need.
const FOLDERS: &[&str] = &["rust", "wit"];
/// Packages that a new script names; the lock has them and what they need.
const ROOTS: &[&str] = &["borescope", "serde"];
/// What the packages of the SDK take from the workspace.
const DEPENDENCIES: &[&str] =
    &["borescope-macros", "serde", "serde_json", "wit-bindgen", "proc-macro2", "quote", "syn"];

/// Writes `OUT_DIR/sdk.rs`.
pub(crate) fn embed(repository: &Path, out: &Path) -> Result<(), Failure> {
    let sdk = repository.join("sdk");
    let mut files = BTreeMap::new();
    for folder in FOLDERS {
        below(&sdk, &sdk.join(folder), &mut files)?;
    }
    let workspace = repository.join("Cargo.toml");
    rerun_if_changed(&workspace)?;
    let manifest = out.join("sdk-manifest.toml");
    write_changed(&manifest, manifest_of(&read(&workspace)?).as_bytes())?;
    files.insert("Cargo.toml".to_owned(), manifest);
    let lock = repository.join("Cargo.lock");
    rerun_if_changed(&lock)?;
    let text = format!(
        "/// Every file of the copy: path and bytes.\n\
         pub(crate) static FILES: &[(&str, &[u8])] = &{};\n\
         /// The packages of a lock file that a script's own is to be added to.\n\
         pub(crate) const LOCK: &str = {:?};\n",
        list(&files)?,
        lock_of(&read(&lock)?)?
    );
    write_changed(&out.join("sdk.rs"), text.as_bytes())
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

fn list(files: &BTreeMap<String, std::path::PathBuf>) -> Result<String, Failure> {
    let mut text = String::from("[\n");
    for (path, place) in files {
        let place = place.to_str().ok_or_else(|| format!("{} is not UTF-8", place.display()))?;
        writeln!(text, "    ({path:?}, include_bytes!({place:?})),").map_err(|e| e.to_string())?;
    }
    text.push(']');
    Ok(text)
}

fn below(
    sdk: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, std::path::PathBuf>,
) -> Result<(), Failure> {
    let failed = |e: std::io::Error| format!("cannot list {}: {e}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let place = entry.map_err(failed)?.path();
        if place.is_dir() {
            below(sdk, &place, files)?;
            continue;
        }
        let path = place.strip_prefix(sdk).ok().and_then(Path::to_str);
        let path = path.ok_or_else(|| format!("{} is not UTF-8", place.display()))?;
        files.insert(path.to_owned(), place.clone());
    }
    Ok(())
}

/// A workspace around the SDK alone, with this workspace's words.
fn manifest_of(workspace: &str) -> String {
    let mut text = String::from(
        "# The SDK for scripts in Rust, copied by `borescope new`. Reviewers know it by its digest: a\n\
         # script whose copy was changed says so.\n\
         [workspace]\nresolver = \"3\"\nmembers = [\"rust\", \"rust/macros\"]\n",
    );
    let mut section = "";
    for line in workspace.lines() {
        if line.starts_with('[') {
            section = line;
            if is_kept(section) {
                text.push('\n');
            }
        }
        let is_dependency = DEPENDENCIES.iter().any(|d| line.starts_with(&format!("{d} = ")));
        let kept = match section {
            "[workspace.dependencies]" => line == section || is_dependency,
            section => is_kept(section) && !line.trim().is_empty() && !line.starts_with('#'),
        };
        if kept {
            text.push_str(&line.replace("\"sdk/rust", "\"rust"));
            text.push('\n');
        }
    }
    text
}

fn is_kept(section: &str) -> bool {
    section == "[workspace.package]"
        || section == "[workspace.dependencies]"
        || section.starts_with("[workspace.lints.")
}

/// The packages of a lock file that [`ROOTS`] come to.
fn lock_of(lock: &str) -> Result<String, Failure> {
    let blocks: Vec<&str> = lock.split("\n\n").filter(|b| b.starts_with("[[package]]")).collect();
    let field = |block: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = block.lines().find_map(|line| line.strip_prefix(start.as_str()));
        line.and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
    };
    let mut wanted: Vec<String> = ROOTS.iter().map(|root| (*root).to_owned()).collect();
    let mut taken = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        let (name, version) = name.split_once(' ').unwrap_or((&name, ""));
        let found = blocks.iter().enumerate().find(|(_, block)| {
            field(block, "name") == name
                && (version.is_empty() || field(block, "version") == version)
        });
        let (at, block) = found.ok_or_else(|| format!("Cargo.lock has no package {name}"))?;
        if taken.insert(at) {
            let listed = block.lines().filter_map(|line| line.strip_prefix(" \""));
            wanted.extend(listed.filter_map(|l| l.strip_suffix("\",")).map(str::to_owned));
        }
    }
    let blocks: Vec<&str> = taken.iter().map(|at| blocks[*at].trim_end()).collect();
    Ok(blocks.join("\n\n"))
}
