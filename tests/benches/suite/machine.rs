//! Where the figures come from: processor, memory, kernel, file system, the time of one `fdatasync`,
//! compiler, date. What the system does not tell is `unknown`.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::Scale;
use super::bed::workshop;
use super::stats::{Row, Samples, Unit, seconds};

/// The machine in Markdown.
pub(super) fn describe(date: &str, scale: Scale) -> String {
    let profile = if cfg!(debug_assertions) { "dev (not for comparison)" } else { "release" };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    let memory = field("/proc/meminfo", "MemTotal").and_then(|m| {
        let kib: f64 = m.strip_suffix("kB")?.trim().parse().ok()?;
        Some(format!("{:.0} GiB", kib / (1 << 20) as f64))
    });
    let lines = [
        ("processor", field("/proc/cpuinfo", "model name").map(|m| format!("{m}, {cores} cores"))),
        ("memory", memory),
        ("kernel", text("/proc/sys/kernel/osrelease")),
        ("file system", file_system(workshop())),
        ("`fdatasync`", Some(sync_time(scale))),
        ("compiler", said("rustc", "--version")),
        ("profile", Some(profile.to_owned())),
        ("date", Some(date.to_owned())),
    ];
    let line = |(name, value): (&str, Option<String>)| {
        format!("- {name}: {}\n", value.unwrap_or_else(|| "unknown".to_owned()))
    };
    lines.into_iter().map(line).collect()
}

/// The time of one append of 300 bytes and its `fdatasync`.
fn sync_time(scale: Scale) -> String {
    let dir = tempfile::tempdir_in(workshop()).unwrap();
    let path = dir.path().join("sync");
    let mut file = OpenOptions::new().append(true).create_new(true).open(path).unwrap();
    let mut samples = Samples::default();
    samples.extend((0..scale.pick(500, 3)).map(|_| seconds(|| append(&mut file, &[7; 300]))));
    Row::alone("an append of 300 bytes", Unit::Seconds, samples).line()
}

/// Appends and waits until a power cut cannot take it.
pub(super) fn append(file: &mut File, bytes: &[u8]) {
    file.write_all(bytes).unwrap();
    file.sync_data().unwrap();
}

fn text(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

/// The first line `NAME : VALUE` of a file.
pub(super) fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The type of the file system that holds `path`: of the mounts above it the longest.
fn file_system(path: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let path = path.canonicalize().ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let above = mounts.filter(|(at, _)| path.starts_with(at));
    above.max_by_key(|(at, _)| at.len()).map(|(_, kind)| kind.to_owned())
}

fn said(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
