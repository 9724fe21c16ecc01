//! Starts a program that runs a stranger's code, so that it can only compute: it reads the tools that it
//! needs, writes one folder, and reaches nobody.
//!
//! The kernel holds it, and everything that it starts: Landlock says which files may be opened, a
//! seccomp filter that there are no sockets (an agent's socket would sign with the user's key), no
//! tracing of other processes and no namespaces. Both last for the thread that asks for them and for
//! what that thread starts, so this program itself stays free.
//!
//! What is *not* held: how much it computes and how much it writes; whoever started it can end it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// Where a program may go.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    /// The one folder that it may write.
    pub(crate) work: PathBuf,
    /// Files and folders that it may read and run, besides the system's; those that are not there do not
    /// matter.
    pub(crate) tools: Vec<PathBuf>,
}

/// Starts a program in its room. It has the environment that the command was given and no other.
///
/// # Errors
/// When this system cannot hold it: then nothing was started. When there is no such program.
pub(crate) fn spawn(mut command: Command, room: &Room) -> io::Result<Child> {
    let room = room.clone();
    let thread = std::thread::Builder::new().name("confined".to_owned());
    let started = thread.spawn(move || {
        enter(&room)?;
        command.spawn()
    })?;
    started.join().unwrap_or_else(|_| Err(io::Error::other("the thread that starts it is gone")))
}

/// What every program reads to begin at all.
#[cfg(target_os = "linux")]
const SYSTEM: &[&str] =
    &["/usr", "/bin", "/lib", "/lib64", "/etc", "/nix/store", "/dev/urandom", "/dev/random"];

/// Holds this thread, and what it starts, from now on.
#[cfg(target_os = "linux")]
fn enter(room: &Room) -> io::Result<()> {
    files(room).map_err(|e| unheld(&e))?;
    let filter = calls().map_err(|e| unheld(&e))?;
    seccompiler::apply_filter(&filter).map_err(|e| unheld(&e))
}

#[cfg(target_os = "linux")]
fn unheld(error: &dyn std::error::Error) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("this kernel cannot confine it: {error}"))
}

#[cfg(target_os = "linux")]
fn files(room: &Room) -> Result<(), landlock::RulesetError> {
    use landlock::{
        ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _, Scope, path_beneath_rules,
    };
    // Linux 6.2 has all that matters: also that files outside cannot be cut.
    let (needed, wanted) = (ABI::V3, ABI::V6);
    let read = AccessFs::from_read(needed);
    let write = AccessFs::from_all(needed);
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(needed))?
        .set_compatibility(CompatLevel::BestEffort)
        .scope(Scope::from_all(wanted))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM.iter().map(Path::new), read))?
        .add_rules(path_beneath_rules(&room.tools, read))?
        .add_rules(path_beneath_rules([Path::new("/dev/null")], AccessFs::from_file(needed)))?
        .add_rules(path_beneath_rules([&room.work], write))?
        .restrict_self()
        .map(|_| ())
}

/// Refuses the calls by which one process reaches another, or the kernel other than by files.
#[cfg(target_os = "linux")]
fn calls() -> Result<seccompiler::BpfProgram, seccompiler::BackendError> {
    use seccompiler::{SeccompAction, SeccompFilter};
    /// Set in the number of a call by the x32 way of making it, which is another number.
    const X32: i64 = 0x4000_0000;
    let refused = [
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        // It makes sockets without calling `socket`.
        libc::SYS_io_uring_setup,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
    ];
    let rules = refused.into_iter().flat_map(|n| [(n, Vec::new()), (n | X32, Vec::new())]);
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules.collect(), SeccompAction::Allow, denied, arch)?.try_into()
}

#[cfg(not(target_os = "linux"))]
fn enter(_: &Room) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "only Linux can confine it"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
