//! What some groups of tests need beyond the toolchain: programs of the system, and Python packages in
//! a virtual environment under `target/`. It looks, says what is missing, and installs when asked
//! to; it never starts a server. Neighbours: `groups` says which group needs what.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::steps::say;

/// The command that installs what is missing and then runs everything.
pub(crate) const INSTALL: &str = "cargo xtask test --install";
/// Where the tests look for the virtual environment.
pub(crate) const VENV_VARIABLE: &str = "BORESCOPE_TEST_VENV";

/// One thing that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// `ssh-keygen` and `ssh-agent`, the tools that signatures must agree with.
    OpenSsh,
    /// `script` of util-linux, at whose terminal commands are typed.
    Terminal,
    /// A PostgreSQL server's programs.
    Postgres,
    /// The Python packages of `tests/schemathesis/requirements.txt`.
    Python,
}

/// A package manager, how it installs without questions, and its names of what is needed.
struct Manager {
    program: &'static str,
    refresh: &'static [&'static str],
    install: &'static [&'static str],
    openssh: &'static str,
    terminal: &'static str,
    postgres: &'static str,
    python: &'static str,
}

const MANAGERS: &[Manager] = &[
    Manager {
        program: "apt-get",
        refresh: &["update", "-qq"],
        install: &["install", "-y", "-qq", "--no-install-recommends"],
        openssh: "openssh-client",
        terminal: "bsdutils",
        postgres: "postgresql",
        python: "python3-venv",
    },
    Manager {
        program: "dnf",
        refresh: &[],
        install: &["install", "-y", "-q"],
        openssh: "openssh-clients",
        terminal: "util-linux",
        postgres: "postgresql-server",
        python: "python3",
    },
    Manager {
        program: "zypper",
        refresh: &[],
        install: &["--non-interactive", "install"],
        openssh: "openssh-clients",
        terminal: "util-linux",
        postgres: "postgresql-server",
        python: "python3",
    },
    Manager {
        program: "pacman",
        refresh: &[],
        install: &["-S", "--noconfirm", "--needed"],
        openssh: "openssh",
        terminal: "util-linux",
        postgres: "postgresql",
        python: "python",
    },
];

impl Manager {
    fn package(&self, need: Need) -> &'static str {
        match need {
            Need::OpenSsh => self.openssh,
            Need::Terminal => self.terminal,
            Need::Postgres => self.postgres,
            Need::Python => self.python,
        }
    }
}

impl Need {
    /// What is missing of it, in words; `None` when it is there.
    pub(crate) fn missing(self, root: &Path) -> Option<String> {
        match self {
            Self::OpenSsh => programs("OpenSSH", &["ssh-keygen", "ssh-agent"], &path_folders()),
            Self::Terminal => programs("util-linux", &["script", "stty"], &path_folders()),
            Self::Postgres => {
                let wanted = ["initdb", "pg_basebackup", "postgres", "psql"];
                programs("PostgreSQL's server", &wanted, &postgres_folders())
            }
            Self::Python => python(root),
        }
    }
}

/// The folders of PATH.
fn path_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|it| std::env::split_paths(&it).collect()).unwrap_or_default()
}

/// Where a server's programs are: Debian keeps them out of PATH, in a folder for each version.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    path_folders().into_iter().chain(versions.map(|it| it.path().join("bin"))).collect()
}

fn programs(whose: &str, wanted: &[&str], folders: &[PathBuf]) -> Option<String> {
    let is_missing = |name: &&&str| !folders.iter().any(|folder| folder.join(name).is_file());
    let missing: Vec<&str> = wanted.iter().filter(is_missing).copied().collect();
    (!missing.is_empty()).then(|| format!("{whose} programs: {}", missing.join(", ")))
}

/// The virtual environment.
pub(crate) fn venv(root: &Path) -> PathBuf {
    root.join("target/test-venv")
}

fn requirements(root: &Path) -> PathBuf {
    root.join("tests/schemathesis/requirements.txt")
}

/// The copy of the requirements that was installed; written last, so that half an environment is
/// none.
fn installed(root: &Path) -> PathBuf {
    venv(root).join("installed.txt")
}

fn python(root: &Path) -> Option<String> {
    let wanted = std::fs::read(requirements(root)).ok();
    let there = std::fs::read(installed(root)).ok();
    (wanted.is_none() || wanted != there)
        .then(|| "Python packages of tests/schemathesis/requirements.txt".to_owned())
}

/// Installs what is missing of `needs`, saying so; afterwards all of it is there.
///
/// # Errors
/// When something is still missing.
pub(crate) fn install(root: &Path, needs: &[Need]) -> Result<()> {
    let missing = || needs.iter().filter_map(|need| Some((*need, need.missing(root)?)));
    let before: Vec<_> = missing().collect();
    if before.is_empty() {
        say("all that the tests need is there");
        return Ok(());
    }
    for (_, what) in &before {
        say(&format!("missing: {what}"));
    }
    let of_system = |need: &Need| *need != Need::Python || !python_can_make_environments();
    let system: Vec<Need> = before.iter().map(|(need, _)| *need).filter(of_system).collect();
    if !system.is_empty() {
        install_packages(&system)?;
    }
    if before.iter().any(|(need, _)| *need == Need::Python) {
        make_venv(root)?;
    }
    let after: Vec<String> = missing().map(|(_, what)| what).collect();
    ensure!(after.is_empty(), "still missing after the installation: {}", after.join("; "));
    Ok(())
}

fn python_can_make_environments() -> bool {
    let probe = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    probe.is_ok_and(|it| it.status.success())
}

fn install_packages(needs: &[Need]) -> Result<()> {
    let folders = path_folders();
    let has = |program: &str| programs("", &[program], &folders).is_none();
    let Some(manager) = MANAGERS.iter().find(|it| has(it.program)) else {
        let known: Vec<_> = MANAGERS.iter().map(|it| it.program).collect();
        bail!("none of {} is here; install the above yourself", known.join(", "));
    };
    let packages: Vec<&str> = needs.iter().map(|need| manager.package(*need)).collect();
    if !manager.refresh.is_empty() {
        run(as_root(manager.program).args(manager.refresh))?;
    }
    run(as_root(manager.program).args(manager.install).args(packages))
}

/// The command, as root; the superuser's own prompt asks whoever needs to be asked.
fn as_root(program: &str) -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|it| it.stdout == b"0\n");
    let mut command = Command::new(if is_root { program } else { "sudo" });
    if !is_root {
        command.arg(program);
    }
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn make_venv(root: &Path) -> Result<()> {
    let (venv, wanted) = (venv(root), requirements(root));
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let quiet = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(venv.join("bin/pip")).args(quiet).arg(&wanted))?;
    std::fs::copy(&wanted, installed(root)).context("cannot note what was installed")?;
    Ok(())
}

/// Says what it runs, and runs it.
fn run(command: &mut Command) -> Result<()> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(|it| it.to_string_lossy()).collect::<Vec<_>>().join(" ");
    say(&format!("   {line}"));
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(status.success(), "`{line}` failed; its reason is above");
    Ok(())
}

#[cfg(test)]
mod tests;
