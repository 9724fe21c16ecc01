//! Pairs that must not be served with, each with its reason and its file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::*;

/// 2026-11-24.
const NOW: Timestamp = Timestamp::from_unix_s(1_795_500_000);

/// A certificate that is valid in these years, with its key.
fn pair(from: i32, until: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["shop.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

struct Folder(TempDir);

impl Folder {
    fn with(certificate: &str, key: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.put(certificate, key);
        folder
    }

    fn put(&self, certificate: &str, key: &str) {
        let TlsFiles { certificate: certificate_file, key: key_file } = self.files();
        fs::write(certificate_file, certificate).unwrap();
        fs::write(&key_file, key).unwrap();
        self.mode(0o600);
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(self.files().key, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.0.path().join("c.pem"), key: self.0.path().join("k.pem") }
    }

    fn read(&self) -> Result<Tls, TlsError> {
        Tls::read(self.files(), NOW)
    }

    /// Why it is refused, with what to do.
    fn refused(&self) -> String {
        let error = self.read().err().unwrap();
        assert!(!error.help().is_empty());
        app::chain(&error)
    }
}

fn assert_says(told: &str, words: &[&str]) {
    for word in words {
        assert!(told.contains(word), "{word} in {told}");
    }
}

#[test]
fn a_pair_that_holds_is_read() {
    let (certificate, key) = pair(2026, 2028);
    Folder::with(&certificate, &key).read().unwrap();
    // With its issuers behind it.
    let (issuer, _) = pair(2020, 2030);
    Folder::with(&format!("{certificate}{issuer}"), &key).read().unwrap();
}

#[test]
fn what_is_missing_or_something_else_is_named() {
    let (certificate, key) = pair(2026, 2028);
    let folder = Folder::with(&certificate, &key);
    fs::remove_file(folder.files().key).unwrap();
    assert_says(&folder.refused(), &["k.pem cannot be read", "No such file"]);
    fs::remove_file(folder.files().certificate).unwrap();
    assert_says(&folder.refused(), &["c.pem cannot be read", "No such file"]);
    let told = Folder::with("nothing", &key).refused();
    assert_says(&told, &["c.pem: there is no `BEGIN CERTIFICATE` in it"]);
    let told = Folder::with(&key, &key).refused();
    assert_says(&told, &["c.pem: there is no `BEGIN CERTIFICATE` in it"]);
    let told = Folder::with(&certificate, &certificate).refused();
    assert_says(&told, &["k.pem: there is no private key in it that has no passphrase"]);
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let told = Folder::with(&certificate, &encrypted).refused();
    assert_says(&told, &["k.pem: there is no private key in it that has no passphrase"]);
    let cut = certificate.replacen("MII", "MIJ", 1);
    assert_says(&Folder::with(&cut, &key).refused(), &["c.pem: certificate 1 is none"]);
}

#[test]
fn an_error_shows_nothing_of_a_key() {
    let (certificate, key) = pair(2026, 2028);
    let secret = key.lines().nth(1).unwrap();
    for broken in [key.replace("-----END", "----END"), key.replace(secret, &format!("{secret}!"))] {
        let told = Folder::with(&certificate, &broken).refused();
        assert!(told.contains("k.pem: ") && !told.contains(&secret[..8]), "{told}");
    }
}

#[test]
fn a_certificate_is_valid_now_or_refused_with_its_dates() {
    for (from, until) in [(2020, 2026), (2027, 2028)] {
        let (certificate, key) = pair(from, until);
        let told = Folder::with(&certificate, &key).refused();
        let dates = [format!("{from}-01-01T"), format!("{until}-01-01T"), NOW.to_string()];
        assert_says(&told, &["c.pem: certificate 1", &dates[0], &dates[1], &dates[2]]);
    }
    let ((certificate, key), (issuer, _)) = (pair(2026, 2028), pair(2020, 2021));
    let told = Folder::with(&format!("{certificate}{issuer}"), &key).refused();
    assert_says(&told, &["c.pem: certificate 2"]);
}

#[test]
fn a_key_of_another_pair_is_refused() {
    let ((certificate, _), (_, key)) = (pair(2026, 2028), pair(2026, 2028));
    let told = Folder::with(&certificate, &key).refused();
    assert_says(&told, &["k.pem is not the key of the first certificate in", "c.pem"]);
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let (certificate, key) = pair(2026, 2028);
    let folder = Folder::with(&certificate, &key);
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        folder.mode(mode);
        assert_says(&folder.refused(), &["k.pem: others", &format!("mode {mode:04o}")]);
    }
    folder.mode(0o400);
    folder.read().unwrap();
}

#[test]
fn a_renewal_that_does_not_hold_changes_nothing() {
    let (certificate, key) = pair(2026, 2028);
    let folder = Folder::with(&certificate, &key);
    let tls = folder.read().unwrap();
    let first = Arc::clone(&tls.current.borrow());
    folder.put(&certificate, &pair(2026, 2028).1);
    assert!(tls.renew(NOW).is_err());
    assert!(Arc::ptr_eq(&first, &tls.current.borrow()));
    let (certificate, key) = pair(2026, 2029);
    folder.put(&certificate, &key);
    tls.renew(NOW).unwrap();
    assert!(!Arc::ptr_eq(&first, &tls.current.borrow()));
}
