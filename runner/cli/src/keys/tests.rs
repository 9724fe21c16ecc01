//! Key files that must not be read or overwritten.

use std::os::unix::fs::PermissionsExt as _;

use executor::OsEntropy;

use super::*;

#[test]
fn a_key_is_made_once_and_only_its_owner_may_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alice");
    let made = make_or_read(&path, "alice", &OsEntropy).unwrap();
    let again = make_or_read(&path, "alice", &OsEntropy).unwrap();
    assert_eq!(made.public(), again.public());
    assert_eq!(&read_public(&path.with_extension("pub")).unwrap(), made.public());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_command_that_helps() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alice");
    make_or_read(&path, "alice", &OsEntropy).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = read(&path).unwrap_err();
    let failure = error.downcast_ref::<Failure>().unwrap();
    assert!(failure.help.as_deref().unwrap().starts_with("chmod 600 "));
}

#[test]
fn a_file_that_is_no_key_says_how_to_make_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes");
    write_secret(&path, b"hello").unwrap();
    let error = read(&path).unwrap_err();
    let failure = error.downcast_ref::<Failure>().unwrap();
    assert!(failure.help.as_deref().unwrap().contains("ssh-keygen"));
}

#[test]
fn a_seed_stays_what_it_is_and_a_damaged_one_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.seed");
    let first = seed(&path, &OsEntropy).unwrap();
    assert_eq!(seed(&path, &OsEntropy).unwrap(), first);
    fs::write(&path, "not hex").unwrap();
    assert!(seed(&path, &OsEntropy).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "not hex");
}

#[test]
fn a_secret_is_not_written_over_another_by_accident() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    write_secret(&path, b"one").unwrap();
    assert!(write_secret(&path, b"two").is_err());
    replace_secret(&path, b"three").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"three");
}
