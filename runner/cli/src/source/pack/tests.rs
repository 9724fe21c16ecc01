//! What is packed, and that the system's own `tar` reads it.

use std::process::Command;

use super::*;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("src/{}/{}.rs", "d".repeat(80), "f".repeat(60));
    for (path, text) in [
        ("Cargo.toml", "[package]\n"),
        ("Cargo.lock", "version = 4\n"),
        ("src/lib.rs", "mod a;\n"),
        ("src/a.rs", ""),
        (&long, "long\n"),
        ("sdk/wit/w.wit", "wit\n"),
        ("src/.secret", "no\n"),
        (".env", "PASSWORD=no\n"),
        ("notes.txt", "no\n"),
        ("target/release/x", "no\n"),
    ] {
        let place = dir.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    dir
}

fn read(dir: &Path, paths: &[&str]) -> BTreeSet<PathBuf> {
    paths.iter().map(|path| dir.join(path)).collect()
}

#[test]
fn the_same_sources_give_the_same_bytes_which_tar_unpacks() {
    let (one, other) = (folder(), folder());
    let tar = pack(one.path(), &read(one.path(), &["src/lib.rs", "src/a.rs"])).unwrap();
    assert_eq!(tar, pack(other.path(), &BTreeSet::new()).unwrap());
    let file = other.path().join("source.tar");
    fs::write(&file, &tar).unwrap();
    let output = Command::new("tar").arg("-tvf").arg(&file).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let listed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(listed.lines().count(), 6, "{listed}");
    for unwanted in ["secret", ".env", "notes", "target"] {
        assert!(!listed.contains(unwanted), "{listed}");
    }
    let to = tempfile::tempdir().unwrap();
    let status = Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(to.path()).status();
    assert!(status.unwrap().success());
    assert_eq!(fs::read_to_string(to.path().join("sdk/wit/w.wit")).unwrap(), "wit\n");
}

#[test]
fn a_component_of_files_that_reviewers_cannot_read_is_refused() {
    let dir = folder();
    for file in ["notes.txt", "../elsewhere/src/lib.rs"] {
        let refused = pack(dir.path(), &read(dir.path(), &["src/lib.rs", file])).unwrap_err();
        assert!(refused.message.contains("not in source.tar"), "{}", refused.message);
    }
}

#[test]
fn a_link_is_refused_rather_than_followed() {
    let dir = folder();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("src/users.rs")).unwrap();
    let refused = pack(dir.path(), &BTreeSet::new()).unwrap_err();
    assert!(refused.message.contains("users.rs: is a link"), "{}", refused.message);
}
