//! Private key files, both ways with the real `ssh-keygen`.

use super::*;
use crate::testing::key;
use crate::testing::keygen;

#[test]
fn a_file_that_ssh_keygen_made_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("id");
    let path = file.to_str().unwrap();
    keygen(&["-q", "-t", "ed25519", "-N", "", "-C", "a comment", "-f", path], b"");
    let read = SecretKey::from_openssh(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let line = std::fs::read_to_string(dir.path().join("id.pub")).unwrap();
    assert_eq!(*read.public(), PublicKey::parse_line(&line).unwrap());
}

#[test]
fn a_file_that_we_wrote_is_read_by_ssh_keygen_and_by_us() {
    for comment in ["", "a", "ab", "abc", "carol@example.com"] {
        let ours = key(7);
        let text = ours.to_openssh(comment);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("id");
        std::fs::write(&file, text.as_bytes()).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let line = keygen(&["-y", "-f", file.to_str().unwrap()], b"");
        assert_eq!(PublicKey::parse_line(&line).unwrap(), *ours.public());
        assert_eq!(SecretKey::from_openssh(&text).unwrap().public(), ours.public());
        let oracle = ssh_key::PrivateKey::from_openssh(text.as_bytes()).unwrap();
        assert_eq!(oracle.comment().to_string(), comment);
    }
}

#[test]
fn a_passphrase_or_another_kind_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, args: &[&str]| {
        let file = dir.path().join(name);
        let mut all = vec!["-q", "-f", file.to_str().unwrap()];
        all.extend_from_slice(args);
        keygen(&all, b"");
        SecretKey::from_openssh(&std::fs::read_to_string(&file).unwrap()).unwrap_err()
    };
    let locked = make("locked", &["-t", "ed25519", "-N", "secret"]);
    assert_eq!(locked, KeyError::Locked);
    let other = make("ecdsa", &["-t", "ecdsa", "-N", ""]);
    assert_eq!(other, KeyError::Kind("ecdsa-sha2-nistp256".to_owned()));
    let pem = make("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]);
    assert!(pem.to_string().contains("use an ed25519 key"));
}

#[test]
fn a_locked_file_says_whose_it_is_and_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    for cipher in ["aes256-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"] {
        let file = dir.path().join(cipher);
        let path = file.to_str().unwrap();
        keygen(&["-q", "-t", "ed25519", "-N", "secret", "-Z", cipher, "-f", path], b"");
        let line = std::fs::read_to_string(format!("{path}.pub")).unwrap();
        let read = KeyFile::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let KeyFile::Locked(public) = read else { panic!("{cipher}: {read:?}") };
        assert_eq!(public, PublicKey::parse_line(&line).unwrap(), "{cipher}");
    }
}

#[test]
fn a_file_with_any_byte_changed_gives_no_other_key() {
    let ours = key(7);
    let text = ours.to_openssh("c");
    for i in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[i] ^= 1;
        if let Ok(changed) = std::str::from_utf8(&bytes) {
            // Only the comment and the trailing line end may differ unnoticed.
            if let Ok(read) = SecretKey::from_openssh(changed) {
                assert_eq!(read.public(), ours.public(), "byte {i}");
            }
        }
    }
}

#[test]
fn it_is_never_printed() {
    let shown = format!("{:?}", key(7));
    assert_eq!(shown, format!("SecretKey({})", key(7).fingerprint()));
}
