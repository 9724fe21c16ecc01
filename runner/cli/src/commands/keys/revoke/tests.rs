//! Which keys sign no more, and since when.

use trust::document::Salt;
use trust::{Header, Person, PersonKey, PersonKind, SecretKey, VersionRef};

use super::*;

fn key(n: u8, status: KeyStatus) -> PersonKey {
    let key = SecretKey::from_seed(&[n; 32]).unwrap().public().clone();
    PersonKey { key, status, since: None }
}

/// Nina has an active and a retired key, otto an active one.
fn directory() -> Directory {
    let person = |id: &str, keys| Person {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        kind: PersonKind::Human,
        owner: None,
        keys,
        groups: Vec::new(),
    };
    let now = Timestamp::from_unix_s(0);
    Directory {
        header: Header {
            trust_domain: "shop.example/dev".parse().unwrap(),
            id: "dir_019ab000-0000-7000-8000-000000000001".parse().unwrap(),
            not_before: now,
            not_after: now,
            salt: Salt([0; 16]),
        },
        version: 2,
        previous: None,
        keyring: VersionRef { version: 1, digest: domain::Digest::of(b"keyring") },
        people: vec![
            person("nina", vec![key(1, KeyStatus::Active), key(2, KeyStatus::Retired)]),
            person("otto", vec![key(3, KeyStatus::Active)]),
        ],
    }
}

fn after(which: &str, status: KeyStatus) -> Result<Vec<KeyStatus>, Failure> {
    let mut directory = directory();
    revoke(&mut directory, which, status, Timestamp::from_unix_s(60))?;
    Ok(directory.people.iter().flat_map(|p| &p.keys).map(|k| k.status).collect())
}

#[test]
fn a_person_signs_no_more_with_any_key_and_others_do() {
    use KeyStatus::{Active, Compromised, Retired};
    assert_eq!(after("nina", Retired).unwrap(), [Retired, Retired, Active]);
    assert_eq!(after("nina", Compromised).unwrap(), [Compromised, Compromised, Active]);
    let print = key(3, Active).key.fingerprint().to_string();
    assert_eq!(after(&print, Retired).unwrap(), [Active, Retired, Retired]);
}

#[test]
fn what_revokes_nothing_is_a_mistake() {
    let retired = key(2, KeyStatus::Retired).key.fingerprint().to_string();
    for which in [retired.as_str(), "mallory", "SHA256:nothing", "nin"] {
        let told = after(which, KeyStatus::Retired).unwrap_err().message;
        assert!(told.contains("has no active key here"), "{told}");
    }
}
