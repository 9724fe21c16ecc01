//! The published vector, the real `ssh-keygen` both ways, and every way to be almost right.

mod security_keys;

use proptest::prelude::*;

use super::*;
use crate::testing::{key, keygen};

const PAE: &[u8] = include_bytes!("../../golden/vectors/kat.pae");
const ARMORED: &str = include_str!("../../golden/vectors/kat.sshsig");
const NAMESPACE: &str = "dbg-review-v1@example.com";

#[test]
fn the_published_vector_verifies_and_is_what_we_write() {
    let parsed = Sshsig::from_armored(ARMORED).unwrap();
    parsed.verify(NAMESPACE, PAE).unwrap();
    let seed: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    let ours = Sshsig::sign(&SecretKey::from_seed(&seed).unwrap(), NAMESPACE, PAE);
    assert_eq!(ours, parsed);
    assert_eq!(ours.to_armored(), ARMORED);
}

#[test]
fn ssh_keygen_accepts_ours_and_we_accept_its() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let ours = Sshsig::sign(&key(7), "ns@example", b"message");
    std::fs::write(path("sig"), ours.to_armored()).unwrap();
    std::fs::write(path("allowed"), format!("carol {}\n", key(7).public())).unwrap();
    let verify = [
        "-Y",
        "verify",
        "-f",
        &path("allowed"),
        "-I",
        "carol",
        "-n",
        "ns@example",
        "-s",
        &path("sig"),
    ];
    assert!(keygen(&verify, b"message").contains("Good"));

    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &path("id")], b"");
    std::fs::write(path("m"), b"message").unwrap();
    keygen(&["-q", "-Y", "sign", "-f", &path("id"), "-n", "ns@example", &path("m")], b"");
    let theirs = Sshsig::from_armored(&std::fs::read_to_string(path("m.sig")).unwrap()).unwrap();
    theirs.verify("ns@example", b"message").unwrap();
    assert_eq!(theirs.verify("ns@example", b"massage"), Err(SshsigError::Mismatch));
}

#[test]
fn a_signature_with_any_bit_changed_or_cut_or_longer_is_refused() {
    let good = Sshsig::sign(&key(7), "ns@example", b"message").to_blob();
    let passes = |blob: &[u8]| {
        Sshsig::from_blob(blob)
            .is_ok_and(|s| s.key() == key(7).public() && s.verify("ns@example", b"message").is_ok())
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
fn a_signature_that_only_loose_verification_accepts_is_refused() {
    // R is the neutral point, and s fits: made with the secret key, and nobody else can tell for what.
    const LOOSE: &str = "0100000000000000000000000000000000000000000000000000000000000000\
                         59b82fdd9bad86480afd0907e20be5a5060c2dddd0df548b473d30fe8fd59700";
    let mut signature = [0; 64];
    hex::decode_to_slice(LOOSE, &mut signature).unwrap();
    let loose = Sshsig { signature, ..Sshsig::sign(&key(7), "ns@example", b"message") };
    let message = signed_bytes("ns@example", &Sha512::digest(b"message"));
    let loosely = ed25519_dalek::Verifier::verify(
        key(7).public().inner(),
        &message,
        &Ed25519::from_bytes(&signature),
    );
    assert!(loosely.is_ok(), "the vector shows nothing");
    assert_eq!(loose.verify("ns@example", b"message"), Err(SshsigError::Mismatch));
}

#[test]
fn a_reserved_field_that_says_something_is_not_read() {
    let good = Sshsig::sign(&key(7), "ns@example", b"message").to_blob();
    let namespace = b"ns@example";
    let place = good.windows(namespace.len()).position(|w| w == namespace).unwrap();
    let (before, after) = good.split_at(place + namespace.len());
    let bad = [before, &[0, 0, 0, 1, b'x'], &after[4..]].concat();
    let said = Sshsig::from_blob(&bad).unwrap_err().to_string();
    assert!(said.contains("its reserved field is not empty"), "{said}");
}

#[test]
fn a_signature_for_nothing_or_for_too_much_is_not_read() {
    let read = |namespace: &str| {
        Sshsig::from_blob(&Sshsig::sign(&key(7), namespace, b"message").to_blob())
            .unwrap_err()
            .to_string()
    };
    assert!(read("").contains("its namespace is empty"));
    assert!(read(&"n".repeat(BLOB_BYTES_MAX)).contains("too long"));
}

#[test]
fn another_namespace_is_named() {
    let signature = Sshsig::sign(&key(7), "borescope-review-v1@a", b"m");
    let refused = signature.verify("borescope-approval-v1@a", b"m").unwrap_err().to_string();
    assert_eq!(
        refused,
        "the signature is made for namespace `borescope-review-v1@a`, not for `borescope-approval-v1@a`"
    );
}

proptest! {
    #[test]
    fn every_signature_reads_back(seed: [u8; 32], ns in "[a-z@./-]{1,120}", m: Vec<u8>) {
        let signature = Sshsig::sign(&SecretKey::from_seed(&seed).unwrap(), &ns, &m);
        prop_assert_eq!(&Sshsig::from_blob(&signature.to_blob()).unwrap(), &signature);
        prop_assert_eq!(&Sshsig::from_armored(&signature.to_armored()).unwrap(), &signature);
        prop_assert!(signature.verify(&ns, &m).is_ok());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = Sshsig::from_blob(&bytes);
        let _ = Sshsig::from_blob(&[b"SSHSIG\0\0\0\x01", &bytes[..]].concat());
    }
}
