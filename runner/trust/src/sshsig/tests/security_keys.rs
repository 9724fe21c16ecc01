//! Security keys: what stock OpenSSH accepts too, and what it accepts and we must not.

use super::*;
use crate::testing::SecurityKey;

const NS: &str = "borescope-review-v1@shop.example/test";
const VECTOR: &str = include_str!("../../../golden/vectors/sk.sshsig");
const VECTOR_KEY: &str = include_str!("../../../golden/vectors/sk.pub");

/// Whether stock `ssh-keygen -Y verify` says "Good".
fn stock_accepts(armored: &str, key: &str, namespace: &str, message: &[u8]) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("sig"), armored).unwrap();
    std::fs::write(path("allowed"), format!("carol {key}\n")).unwrap();
    std::fs::write(path("m"), message).unwrap();
    std::process::Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", "carol", "-n", namespace])
        .args(["-f", &path("allowed"), "-s", &path("sig")])
        .stdin(std::fs::File::open(path("m")).unwrap())
        .output()
        .unwrap()
        .status
        .success()
}

#[test]
fn a_signature_that_nobody_touched_the_key_for_is_refused_although_ssh_keygen_accepts_it() {
    let key = SecurityKey::new(21);
    let line = key.public().to_string();
    for (flags, ours) in [
        (0x01, Ok(())),
        (0x05, Ok(())),
        (0x1d, Ok(())),
        (0x00, Err(SshsigError::Untouched)),
        (0x04, Err(SshsigError::Untouched)),
        (0x41, Err(SshsigError::Flags(0x41))),
        (0x80, Err(SshsigError::Flags(0x80))),
    ] {
        let blob = key.sshsig(NS, b"message", flags);
        let parsed = Sshsig::from_blob(&blob).unwrap();
        assert_eq!(parsed.to_blob(), blob);
        assert_eq!(parsed.verify(NS, b"message"), ours, "flags {flags:#x}");
        let stock = stock_accepts(&parsed.to_armored(), &line, NS, b"message");
        assert!(stock, "ssh-keygen judges no flags; {flags:#x}");
        assert!(parsed.verify(NS, b"massage").is_err());
        assert!(!stock_accepts(&parsed.to_armored(), &line, NS, b"massage"));
    }
}

#[test]
fn the_published_vector_verifies() {
    let parsed = Sshsig::from_armored(VECTOR).unwrap();
    assert_eq!(parsed.key().to_string(), VECTOR_KEY.trim_end());
    parsed.verify("dbg-review-v1@example.com", PAE).unwrap();
    assert!(stock_accepts(VECTOR, VECTOR_KEY.trim_end(), "dbg-review-v1@example.com", PAE));
    let seed: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    assert_eq!(parsed.key().as_bytes(), SecretKey::from_seed(&seed).unwrap().public().as_bytes());
}

#[test]
fn a_signature_with_any_bit_changed_or_cut_or_longer_is_refused() {
    let key = SecurityKey::new(21);
    let good = key.sshsig(NS, b"message", 0x05);
    let passes = |blob: &[u8]| {
        Sshsig::from_blob(blob)
            .is_ok_and(|s| *s.key() == key.public() && s.verify(NS, b"message").is_ok())
    };
    assert!(passes(&good));
    for i in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[i] ^= 1 << bit;
            assert!(!passes(&bad), "byte {i} bit {bit}");
        }
        assert!(!passes(&good[..i]), "cut at {i}");
    }
    assert!(!passes(&[&good[..], &[0]].concat()));
}

#[test]
fn bytes_after_the_counter_are_refused() {
    // The inner signature is the last field: make it and its length longer, at the same time.
    let good = SecurityKey::new(21).sshsig(NS, b"message", 0x05);
    let inner = 4 + "sk-ssh-ed25519@openssh.com".len() + 4 + 64 + 1 + 4;
    let at = good.len() - inner - 4;
    for (extra, what) in [(&[0_u8][..], "bytes after"), (&[0; 64], "bytes after")] {
        let mut bad = good.clone();
        let longer = u32::try_from(inner + extra.len()).unwrap().to_be_bytes();
        bad[at..at + 4].copy_from_slice(&longer);
        bad.extend_from_slice(extra);
        let refused = Sshsig::from_blob(&bad).unwrap_err().to_string();
        assert!(refused.contains(what), "{refused}");
    }
    let mut shorter = good.clone();
    shorter[at..at + 4].copy_from_slice(&u32::try_from(inner - 1).unwrap().to_be_bytes());
    shorter.pop();
    assert!(Sshsig::from_blob(&shorter).unwrap_err().to_string().contains("cut short"));
}

#[test]
fn a_plain_signature_does_not_pass_for_a_touched_one_and_the_other_way_round() {
    let security_key = SecurityKey::new(21);
    let plain = Sshsig::sign(&key(21), NS, b"message");
    // The same point: plain signature under the security key's name, and its signature as a plain one.
    let mixed = |public: Vec<u8>, kind: &[u8], tail: &[u8]| {
        let mut signature = Vec::new();
        put_string(&mut signature, kind);
        put_string(&mut signature, &plain.signature);
        signature.extend_from_slice(tail);
        let mut out = b"SSHSIG\0\0\0\x01".to_vec();
        for part in [&public[..], NS.as_bytes(), b"", b"sha512", &signature] {
            put_string(&mut out, part);
        }
        Sshsig::from_blob(&out).and_then(|s| s.verify(NS, b"message"))
    };
    let touched = [1, 0, 0, 0, 7];
    assert_eq!(mixed(key(21).public().to_blob(), b"ssh-ed25519", b""), Ok(()));
    let sk_type = b"sk-ssh-ed25519@openssh.com";
    let refused = mixed(security_key.blob(), sk_type, &touched);
    assert_eq!(refused, Err(SshsigError::Mismatch));
    for (public, kind) in
        [(security_key.blob(), &b"ssh-ed25519"[..]), (key(21).public().to_blob(), &sk_type[..])]
    {
        let refused = mixed(public, kind, &touched).unwrap_err().to_string();
        assert!(refused.contains("another type than its key"), "{refused}");
    }
}

#[test]
fn the_application_is_part_of_what_is_signed() {
    let ours = SecurityKey::new(21);
    let others = SecurityKey::new(21).for_application("ssh:other");
    assert_ne!(ours.public(), others.public());
    let blob = others.sshsig(NS, b"message", 0x01);
    assert!(Sshsig::from_blob(&blob).unwrap().verify(NS, b"message").is_ok());
    // Their signature under our key's name.
    let start = 10;
    let swapped = [
        &blob[..start],
        &u32::try_from(ours.blob().len()).unwrap().to_be_bytes(),
        &ours.blob(),
        &blob[start + 4 + others.blob().len()..],
    ]
    .concat();
    let swapped = Sshsig::from_blob(&swapped).unwrap();
    assert_eq!(*swapped.key(), ours.public());
    assert_eq!(swapped.verify(NS, b"message"), Err(SshsigError::Mismatch));
}
