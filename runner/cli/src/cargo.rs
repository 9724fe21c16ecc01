//! Cargo, for scripts with code of their own: builds the component and says which files went into it.
//!
//! An author's own toolchain runs the author's own code, as `cargo build` would; a reviewer's runs it
//! confined. What cargo says is shown line by line, neutralised. What is *not* here: the bundle, and
//! whether the component is admitted.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use serde_json::Value as Json;

use crate::confine::{self, Room};
use crate::exit::Failure;
use crate::out::Out;

/// What scripts are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";
/// Cargo's variable for flags of the compiler.
const FLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";
/// Lines of cargo that say only how far it is.
const STEPS: &[&str] = &[
    "Compiling",
    "Finished",
    "Downloading",
    "Downloaded",
    "Updating",
    "Locking",
    "Adding",
    "Blocking",
    "Checking",
    "Fresh",
    "Dirty",
];

/// A component that was built just now.
pub(crate) struct Built {
    /// Its bytes.
    pub(crate) component: Vec<u8>,
    /// What the compiler read, of everything that does not come from a registry; absolute paths.
    pub(crate) read: BTreeSet<PathBuf>,
}

/// How the toolchain is started.
pub(crate) enum Tools {
    /// As the user's own: the code is theirs.
    Own,
    /// Where it can only compute, offline: the code is somebody else's.
    Confined(Room),
}

impl Tools {
    fn start(&self, mut command: Command) -> std::io::Result<Child> {
        let Self::Confined(room) = self else { return command.spawn() };
        let flags = command.get_envs().find(|(name, _)| *name == FLAGS);
        let flags = flags.and_then(|(_, value)| value).map(OsString::from);
        command.env_clear().env("PATH", crate::config::search_path());
        command.env("HOME", room.work.join("home")).env("TMPDIR", room.work.join("tmp"));
        command.env("CARGO_NET_OFFLINE", "true");
        command.envs(crate::config::cargo_home().map(|home| ("CARGO_HOME", home)));
        command.envs(rustup_home().map(|home| ("RUSTUP_HOME", home)));
        command.envs(flags.map(|flags| (FLAGS, flags)));
        confine::spawn(command, room)
    }

    const fn when_it_does_not_build(&self) -> &'static str {
        match self {
            Self::Own => "correct it; nothing was written",
            Self::Confined(_) => {
                "it was built offline and confined; ask the author how it builds, or leave --rebuild out"
            }
        }
    }

    const fn locked(&self) -> &'static [&'static str] {
        match self {
            Self::Own => &[],
            Self::Confined(_) => &["--locked"],
        }
    }
}

/// Where rustup keeps toolchains.
pub(crate) fn rustup_home() -> Option<PathBuf> {
    crate::config::home_of("RUSTUP_HOME", ".rustup")
}

/// Builds the package in a folder, which is an absolute path.
///
/// # Errors
/// When there is no cargo or no target for it, with the command that installs it; what the compiler says.
pub(crate) fn build(out: Out, dir: &Path, tools: &Tools) -> anyhow::Result<Built> {
    require_target(dir, tools)?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(dir).args(["build", "--release", "--target", TARGET]);
    cargo.args(["--message-format", "json-render-diagnostics"]).args(tools.locked());
    cargo.env(FLAGS, remap(dir)).env_remove("RUSTFLAGS");
    cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tools.start(cargo).map_err(|e| no_program("cargo", &e))?;
    let (messages, said) = follow(out, &mut child)?;
    let built = child.wait()?.success();
    out.notes(said.iter().filter(|line| !is_step(line)));
    if !built {
        return Err(Failure::usage(
            format!("{} does not build; cargo's words are above", dir.display()),
            tools.when_it_does_not_build(),
        )
        .into());
    }
    let wasm = component_of(dir, &messages).ok_or_else(|| {
        Failure::usage(
            format!("{}: cargo built no component", dir.join("Cargo.toml").display()),
            "a script is a library: [lib] crate-type = [\"cdylib\"]",
        )
    })?;
    let component = std::fs::read(&wasm).with_context(|| format!("{}", wasm.display()))?;
    let listing = wasm.with_extension("d");
    let listing = std::fs::read_to_string(&listing)
        .with_context(|| format!("cannot read {}", listing.display()))?;
    let mut read = prerequisites(&listing);
    // What a build script writes comes of sources that were read.
    let generated = wasm.with_file_name("build");
    read.retain(|file| !file.starts_with(&generated));
    Ok(Built { component, read })
}

/// Reads cargo's messages, and its words as they come; the last step is shown.
fn follow(out: Out, child: &mut Child) -> anyhow::Result<(String, Vec<String>)> {
    let mut stdout = child.stdout.take().context("cargo has no output")?;
    let stderr = child.stderr.take().context("cargo has no output")?;
    // Somebody has to read both, or cargo blocks on a full pipe.
    let messages = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let progress = out.progress("cargo build");
    let mut said = Vec::new();
    for line in BufReader::new(stderr).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        if is_step(&line) {
            progress.say(&format!("cargo build: {}", line.trim()));
        }
        said.push(line);
    }
    let messages = messages.join().map_err(|_| anyhow::anyhow!("cargo's output is lost"))??;
    Ok((messages, said))
}

fn is_step(line: &str) -> bool {
    let word = line.trim_start().split(' ').next().unwrap_or_default();
    line.trim().is_empty() || STEPS.contains(&word)
}

/// The component among cargo's messages: of this package, not of one that it depends on.
fn component_of(dir: &Path, messages: &str) -> Option<PathBuf> {
    let manifest = dir.join("Cargo.toml");
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok())
        .filter(|m| m["reason"] == "compiler-artifact")
        .filter(|m| m["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest))
        .filter_map(|m| m["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|name| name.as_str().map(PathBuf::from))
        .find(|name| name.extension().is_some_and(|e| e == "wasm"))
}

/// The files of a rule `target: file file …`; a blank within a name has a backslash in front.
fn prerequisites(listing: &str) -> BTreeSet<PathBuf> {
    let rules = listing.lines().filter_map(|line| line.split_once(": "));
    let mut found = BTreeSet::new();
    for (_, files) in rules {
        let files = files.replace("\\ ", "\0");
        let names = files.split(' ').filter(|name| !name.is_empty());
        found.extend(names.map(|name| PathBuf::from(name.replace('\0', " "))));
    }
    found
}

/// Paths of this machine do not belong in a component: its digest would be another one elsewhere.
fn remap(dir: &Path) -> OsString {
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(dir);
    flags.push("=/script");
    if let Some(home) = crate::config::cargo_home() {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(home);
        flags.push("=/cargo");
    }
    flags
}

fn require_target(dir: &Path, tools: &Tools) -> anyhow::Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(dir).args(["--print", "target-libdir", "--target", TARGET]);
    rustc.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = tools.start(rustc).and_then(Child::wait_with_output);
    let output = output.map_err(|e| no_program("rustc", &e))?;
    let folder = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = said.lines().find(|line| line.contains("error")).unwrap_or_default();
    let problem = if said.is_empty() { String::new() } else { format!(" ({said})") };
    Err(Failure::usage(
        format!("this machine's Rust cannot build for {TARGET}, as scripts are{problem}"),
        format!("cd {} && rustup target add {TARGET}", dir.display()),
    )
    .into())
}

/// Says why a program of the toolchain did not start.
pub(crate) fn no_program(name: &str, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::Unsupported {
        return Failure::usage(
            format!("{name} is not started: {error}"),
            "rebuild on Linux 6.2 or later with Landlock, or in a machine made for it: borescope review \
             REF --dir DIR, then borescope build DIR/new/source",
        );
    }
    Failure::usage(
        format!("{name} cannot be started ({error}), and this script has code of its own"),
        "install Rust (https://rustup.rs); a script that is only SQL needs none: borescope new NAME --sql",
    )
}

#[cfg(test)]
mod tests;
