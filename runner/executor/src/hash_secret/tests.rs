//! Keys that fit, and secrets that others know.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// Bytes that count up.
struct Counting;

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        out.iter_mut().zip(1..).for_each(|(byte, n)| *byte = n);
    }
}

fn secret(dir: &Path) -> HashSecret {
    HashSecret::open(dir, &Counting).unwrap()
}

#[test]
fn the_derivation_is_that_of_the_rfc() {
    // RFC 5869, test case 1, its first 32 bytes.
    let salt: Vec<u8> = (0x00..=0x0c).collect();
    let info: Vec<u8> = (0xf0..=0xf9).collect();
    let key = hkdf_sha256(&salt, &[0x0b; 22], &info).unwrap();
    let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf";
    assert_eq!(hex::encode(*key), expected);
}

#[test]
fn it_is_made_once_and_readable_by_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let first = secret(dir.path());
    let path = dir.path().join(SECRET_FILE);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read(&path).unwrap(), *first.0);
    assert_eq!(*secret(dir.path()).0, *first.0);
}

#[test]
fn a_secret_that_others_can_read_or_that_is_cut_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    drop(secret(dir.path()));
    let path = dir.path().join(SECRET_FILE);
    let refused = |what: &str| {
        let error = HashSecret::open(dir.path(), &Counting).err().unwrap().to_string();
        assert!(error.contains(what), "{error}");
    };
    let mode = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o640);
    refused("chmod 600");
    mode(0o600);
    for bytes in [0, 31, 33] {
        std::fs::write(&path, vec![7; bytes]).unwrap();
        refused("is not 32 bytes");
    }
}

#[test]
fn grants_and_classes_have_keys_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let secret = secret(dir.path());
    let run: RunId = "run_019ab000-0000-7000-8000-000000000008".parse().unwrap();
    let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
    let grants = [Grant::Request(one), Grant::Request(other), Grant::Run(&run)];
    let mut keys = Vec::new();
    for grant in &grants {
        for class in ["customer", "card"] {
            let key = secret.key(grant, &class.parse().unwrap()).unwrap();
            assert_eq!(Some(&key), secret.key(grant, &class.parse().unwrap()).as_ref());
            assert!(!keys.contains(&key), "{grant:?} {class}");
            keys.push(key);
        }
    }
    assert_eq!(format!("{:?}", keys[0]), "HashKey(hidden)");
}
