//! Builds guests for `wasm32-wasip2` and embeds their bundles; shared by the build scripts of `cli`
//! and `tests` as a plain module.
//!
//! For each package it copies the bundle's files to `OUT_DIR/bundles/<name>/` and writes
//! `OUT_DIR/bundles.rs` with `BUNDLES`. It does not sign or check anything: what is embedded goes
//! through the same door as what users submit. Components are never committed as binaries.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What guests are built for; `rust-toolchain.toml` asks rustup for it.
const TARGET: &str = "wasm32-wasip2";
/// The profile that every workspace of guests defines.
const PROFILE: &str = "guest";
/// Variables that a nested cargo may see, of those that configure cargo: where crates come from.
const CARGO_KEPT: &[&str] =
    &["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_"];
/// Variables of the outer build that would leak into the guests.
const DROPPED: &[&str] = &["CARGO", "RUSTFLAGS", "RUSTDOC", "RUSTC", "CLIPPY_ARGS", "OUT_DIR"];

/// Packages of one cargo workspace.
pub(crate) struct Guests {
    /// The folder with the workspace's `Cargo.toml` and `Cargo.lock`.
    pub(crate) workspace: PathBuf,
    /// Folders of the packages; a folder is named as its package and its bundle.
    pub(crate) packages: Vec<PathBuf>,
    /// Whether `BUNDLES` names them. Those that it does not are only files in `OUT_DIR`.
    pub(crate) listed: bool,
}

/// Why nothing was embedded, in words for whoever builds.
pub(crate) type Failure = String;

impl Guests {
    /// Every folder with a `Cargo.toml` directly under `root`.
    pub(crate) fn all_in(workspace: &Path, root: &Path) -> Result<Self, Failure> {
        let mut packages = Vec::new();
        for entry in fs::read_dir(root).map_err(|e| at("cannot list", root, &e))? {
            let path = entry.map_err(|e| at("cannot list", root, &e))?.path();
            if path.join("Cargo.toml").is_file() {
                packages.push(path);
            }
        }
        // A new guest must be seen as well.
        rerun_if_changed(root)?;
        packages.sort();
        Ok(Self { workspace: workspace.to_owned(), packages, listed: true })
    }
}

/// Builds all packages and writes `OUT_DIR/bundles.rs`. `repository` is the root of the checkout.
pub(crate) fn embed(repository: &Path, guests: &[Guests]) -> Result<(), Failure> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    // The SDK is in every guest.
    rerun_if_changed(&repository.join("sdk"))?;
    require_target()?;
    let mut bundles = BTreeMap::new();
    for guests in guests {
        let components = build(repository, &out, guests)?;
        for package in &guests.packages {
            let name = name_of(package)?;
            let component = components.join(format!("{}.wasm", name.replace('-', "_")));
            let files = copy_bundle(package, &component, &out.join("bundles").join(&name))?;
            if guests.listed && bundles.insert(name.clone(), files).is_some() {
                return Err(format!("two guests are named {name}; rename one"));
            }
        }
    }
    write_changed(&out.join("bundles.rs"), index(&bundles)?.as_bytes())
}

/// Runs the nested cargo and returns the folder of its components.
fn build(repository: &Path, out: &Path, guests: &Guests) -> Result<PathBuf, Failure> {
    let target_dir = target_dir(out);
    let mut cargo = Command::new(variable("CARGO")?);
    for (name, _) in env::vars_os() {
        if !is_kept(&name) {
            cargo.env_remove(name);
        }
    }
    cargo.current_dir(&guests.workspace);
    cargo.args(["build", "--target", TARGET, "--profile", PROFILE]);
    cargo.arg("--target-dir").arg(&target_dir);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", remap(repository));
    let lock = guests.workspace.join("Cargo.lock");
    if lock.is_file() {
        rerun_if_changed(&lock)?;
        cargo.arg("--locked");
    }
    rerun_if_changed(&guests.workspace.join("Cargo.toml"))?;
    for package in &guests.packages {
        rerun_if_changed(package)?;
        cargo.args(["--package", &name_of(package)?]);
    }
    let status = cargo.status().map_err(|e| format!("cannot start cargo for the guests: {e}"))?;
    if !status.success() {
        return Err(format!(
            "the guests in {} do not build ({status}); cargo's words are above",
            guests.workspace.display()
        ));
    }
    Ok(target_dir.join(TARGET).join(PROFILE))
}

/// One target directory for all build scripts of this profile, so that the SDK is compiled once:
/// `target/debug/guests`, next to cargo's own `target/debug/build`. Cargo locks it.
fn target_dir(out: &Path) -> PathBuf {
    let build = out.ancestors().find(|a| a.file_name() == Some(OsStr::new("build")));
    build.and_then(Path::parent).unwrap_or(out).join("guests")
}

fn is_kept(name: &OsStr) -> bool {
    // A name that is not UTF-8 is nobody's configuration of cargo.
    let Some(name) = name.to_str() else {
        return true;
    };
    CARGO_KEPT.iter().any(|kept| name.starts_with(kept))
        || !DROPPED.iter().any(|dropped| name.starts_with(dropped))
}

/// Paths of this machine do not belong in a component: its digest would differ from one checkout to
/// the next.
fn remap(repository: &Path) -> OsString {
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(repository);
    flags.push("=/borescope");
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    if let Some(home) = home {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(home);
        flags.push("=/cargo");
    }
    flags
}

fn require_target() -> Result<(), Failure> {
    let rustc = variable("RUSTC")?;
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", TARGET]);
    let output = command.output().map_err(|e| format!("cannot start rustc: {e}"))?;
    let folder = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(format!(
        "scripts are built for {TARGET}, which this toolchain lacks; run: rustup target add {TARGET}"
    ))
}

/// Copies what belongs in the bundle and returns its paths there.
fn copy_bundle(package: &Path, component: &Path, to: &Path) -> Result<Vec<String>, Failure> {
    let mut sources = BTreeMap::from([("component.wasm".to_owned(), component.to_owned())]);
    let optional = [
        ("script.toml", "script.toml"),
        ("input.schema.json", "input.schema.json"),
        ("README.md", "readme.md"),
    ];
    for (file, path) in optional {
        if package.join(file).is_file() {
            sources.insert(path.to_owned(), package.join(file));
        }
    }
    let queries = package.join("queries");
    if queries.is_dir() {
        for entry in fs::read_dir(&queries).map_err(|e| at("cannot list", &queries, &e))? {
            let path = entry.map_err(|e| at("cannot list", &queries, &e))?.path();
            sources.insert(format!("queries/{}", name_of(&path)?), path);
        }
    }
    for (path, source) in &sources {
        let bytes = fs::read(source).map_err(|e| at("cannot read", source, &e))?;
        write_changed(&to.join(path), &bytes)?;
    }
    Ok(sources.into_keys().collect())
}

/// `bundles.rs`: only what was copied just now is named, so leftovers in `OUT_DIR` are never used.
fn index(bundles: &BTreeMap<String, Vec<String>>) -> Result<String, Failure> {
    let mut text = String::from(
        "/// Path and bytes of each file of one bundle.\n\
         pub type Files = &'static [(&'static str, &'static [u8])];\n\
         /// Bundles that the build embedded: name, then files.\n\
         pub static BUNDLES: &[(&str, Files)] = &[\n",
    );
    let mut write = || -> Result<(), std::fmt::Error> {
        for (name, files) in bundles {
            writeln!(text, "    ({name:?}, &[")?;
            for path in files {
                let file = format!("bundles/{name}/{path}");
                writeln!(text, "        ({path:?}, include_bytes!({file:?})),")?;
            }
            writeln!(text, "    ]),")?;
        }
        writeln!(text, "];")
    };
    write().map_err(|e| format!("cannot write bundles.rs: {e}"))?;
    Ok(text)
}

/// Leaves a file with the same bytes alone: a new time would rebuild whatever includes it.
pub(crate) fn write_changed(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|e| at("cannot create", folder, &e))?;
    fs::write(path, bytes).map_err(|e| at("cannot write", path, &e))
}

pub(crate) fn rerun_if_changed(path: &Path) -> Result<(), Failure> {
    writeln!(io::stdout(), "cargo::rerun-if-changed={}", path.display())
        .map_err(|e| format!("cannot talk to cargo: {e}"))
}

fn name_of(path: &Path) -> Result<String, Failure> {
    let name = path.file_name().and_then(OsStr::to_str);
    name.map(str::to_owned).ok_or_else(|| format!("{} has no UTF-8 name", path.display()))
}

fn variable(name: &str) -> Result<OsString, Failure> {
    env::var_os(name).ok_or_else(|| format!("cargo did not set {name}; run this by cargo"))
}

fn at(what: &str, path: &Path, error: &io::Error) -> Failure {
    format!("{what} {}: {error}", path.display())
}
