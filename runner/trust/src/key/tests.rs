//! Keys as real tools write them: `ssh-keygen` and the crate `ssh-key` are the oracles.

use super::*;
use crate::testing::key;

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
    for kind in ["ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"] {
        let refused = PublicKey::parse_line(&format!("{kind} AAAA")).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!(
                "{kind} keys are not supported yet; use an ed25519 key: ssh-keygen -t ed25519 -N ''"
            )
        );
    }
}

#[test]
fn a_key_that_signs_for_everybody_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(PublicKey::from_bytes(&identity), Err(KeyError::Weak));
    assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(KeyError::Weak));
}
