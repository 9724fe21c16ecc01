//! The server's own programs: where they are, whom they run as, and how. No server is kept here.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the server's programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// Looks along `path` (the environment's `PATH`) and where distributions keep them; the newest
    /// version wins. `None` when there is no complete set.
    #[must_use]
    pub fn find(path: &str) -> Option<Self> {
        let mut places: Vec<PathBuf> = std::env::split_paths(path).collect();
        let mut versions: Vec<(u32, PathBuf)> = ["/usr/lib/postgresql", "/usr/local/pgsql"]
            .iter()
            .filter_map(|parent| fs::read_dir(parent).ok())
            .flat_map(|entries| entries.filter_map(Result::ok))
            .map(|entry| {
                let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
                (version, entry.path().join("bin"))
            })
            .collect();
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        places.extend(versions.into_iter().map(|(_, bin)| bin));
        let needed = ["postgres", "initdb", "pg_basebackup", "psql"];
        let complete = |d: &PathBuf| needed.iter().all(|program| d.join(program).is_file());
        places.into_iter().find(complete).map(|directory| Self { directory })
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }
}

/// A user and its group, by number.
pub(super) type User = (u32, u32);

/// A new directory under the system's temporary one, which only its owner may enter.
pub(super) fn new_directory() -> io::Result<PathBuf> {
    let usual = std::env::temp_dir();
    // The path of a Unix socket has at most 107 bytes.
    let temporary = if usual.as_os_str().len() > 60 { PathBuf::from("/tmp") } else { usual };
    for n in 0..10_000u32 {
        let base = temporary.join(format!("borescope-pg-{}-{n}", std::process::id()));
        match fs::create_dir(&base) {
            Ok(()) => {
                fs::set_permissions(&base, fs::Permissions::from_mode(0o700))?;
                return Ok(base);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(other("the temporary directory is full of clusters"))
}

/// Whom to run the servers as: nobody else unless we are root, which owns what we just made.
pub(super) fn unprivileged(ours: &Path) -> io::Result<Option<User>> {
    if fs::metadata(ours)?.uid() != 0 {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let user = find("postgres").or_else(|| find("nobody"));
    user.map(Some)
        .ok_or_else(|| other("root needs a user `postgres` or `nobody` to run servers as"))
}

/// A directory that only the servers' user may enter.
pub(super) fn own_directory(path: &Path, user: Option<User>) -> io::Result<PathBuf> {
    fs::create_dir(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    own(path, user)?;
    Ok(path.to_owned())
}

/// Gives a file or directory to the servers' user.
pub(super) fn own(path: &Path, user: Option<User>) -> io::Result<()> {
    match user {
        Some((uid, gid)) => chown(path, Some(uid), Some(gid)),
        None => Ok(()),
    }
}

/// A file that only the servers' user may read.
pub(super) fn write(path: &Path, text: &str, user: Option<User>) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    own(path, user)
}

/// Runs a command as the servers' user, in an environment that does not change what it does.
pub(super) fn become_user(command: &mut Command, user: Option<User>) {
    // The working directory may be closed to that user.
    command.current_dir("/").env_remove("PGOPTIONS").env_remove("PGSSLMODE").env("LC_ALL", "C");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
}

/// Runs a program to its end; gives what it printed.
pub(super) fn run(command: &mut Command, user: Option<User>, input: &str) -> io::Result<String> {
    become_user(command, user);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().ok_or_else(|| other("the program has no input"))?;
    let mut stderr = child.stderr.take().ok_or_else(|| other("the program has no errors"))?;
    let input = input.to_owned();
    // One thread writes and one reads errors, so that no pipe fills up while we wait for another.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let output = child.wait_with_output()?;
    // A program that stops early does not read all; its status says why.
    let _ = writer.join();
    let errors = errors.join().ok().and_then(Result::ok).unwrap_or_default();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    Err(other(format!("{program} failed: {}", errors.trim())))
}

pub(super) fn other(problem: impl Into<String>) -> io::Error {
    io::Error::other(problem.into())
}
