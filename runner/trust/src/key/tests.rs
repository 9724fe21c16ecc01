//! Keys as real tools write them: `ssh-keygen` and the crate `ssh-key` are the oracles.

use super::*;
use crate::testing::{SecurityKey, key, keygen};

const LINE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

#[test]
fn the_known_line_has_the_known_fingerprint() {
    let parsed = PublicKey::parse_line(&format!("{LINE} carol@laptop\n")).unwrap();
    assert_eq!(parsed.to_string(), LINE);
    assert_eq!(parsed.fingerprint().as_str(), "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg");
    // A comment in a signed document could be changed without changing the key.
    assert!(format!("{LINE} carol").parse::<PublicKey>().is_err());
}

#[test]
fn the_oracle_agrees_on_fingerprints() {
    for n in 1..50 {
        let ours = key(n);
        let theirs = ssh_key::PublicKey::from_openssh(&ours.public().to_string()).unwrap();
        let fingerprint = theirs.fingerprint(ssh_key::HashAlg::Sha256).to_string();
        assert_eq!(ours.fingerprint().as_str(), fingerprint);
    }
}

#[test]
fn other_kinds_are_refused_with_what_to_do() {
    for kind in ["ssh-rsa", "ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com"] {
        let refused = PublicKey::parse_line(&format!("{kind} AAAA")).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!(
                "{kind} keys are not accepted; use an ed25519 key (ssh-keygen -t ed25519) or an \
                 ed25519 security key (ssh-keygen -t ed25519-sk)"
            )
        );
    }
}

#[test]
fn a_security_key_reads_back_and_ssh_keygen_agrees_on_its_fingerprint() {
    let ours = SecurityKey::new(7).public();
    let text = ours.to_string();
    assert!(text.starts_with("sk-ssh-ed25519@openssh.com AAAA"), "{text}");
    assert_eq!(text.parse::<PublicKey>().unwrap(), ours);
    assert_eq!(PublicKey::parse_line(&format!("{text} carol@yubikey\n")).unwrap(), ours);
    assert_eq!(ours.application(), Some("ssh:"));
    let listed = keygen(&["-l", "-f", "-"], text.as_bytes());
    assert!(listed.contains(ours.fingerprint().as_str()), "{listed}");
    // The same point is another key, and the same material.
    assert_ne!(ours, *key(7).public());
    assert_eq!(ours.as_bytes(), key(7).public().as_bytes());
}

#[test]
fn a_security_key_has_one_form_and_is_for_ssh() {
    for application in ["", "ssh", "https://shop.example", "ssh:\u{1b}[2J", "ssh:ü"] {
        let blob = SecurityKey::new(7).for_application(application).blob();
        assert_eq!(PublicKey::from_blob(&blob), Err(KeyError::Application), "{application:?}");
    }
    let long = Box::leak(format!("ssh:{}", "a".repeat(61)).into_boxed_str());
    let blob = SecurityKey::new(7).for_application(long).blob();
    assert_eq!(PublicKey::from_blob(&blob), Err(KeyError::Application));
    let good = SecurityKey::new(7).blob();
    for blob in [[&good[..], &[0]].concat(), good[..good.len() - 1].to_vec(), good[..62].to_vec()] {
        assert!(matches!(PublicKey::from_blob(&blob), Err(KeyError::Public(_))));
    }
    // One type in front, the other one inside.
    let line = SecurityKey::new(7).public().to_string();
    let blob = line.split_once(' ').unwrap().1;
    let refused = PublicKey::parse_line(&format!("ssh-ed25519 {blob}")).unwrap_err();
    assert_eq!(refused, KeyError::Public("its two types differ"));
}

#[test]
fn a_key_that_signs_for_everybody_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(PublicKey::from_bytes(&identity), Err(KeyError::Weak));
    assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(KeyError::Weak));
}
