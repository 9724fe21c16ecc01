//! A trust domain that is founded can be verified by others.

use executor::{OsEntropy, SystemClock};
use ledger::TrustFile;
use trust::{Authority, Seen};

use super::*;

const POLICY: &str = "[[target]]\nid = \"shop\"\nengine = \"sqlite\"\nprod = false\n\
                      identity = { sqlite = { application_id = 7 } }\nrunners = [\"runner-1\"]\n";

#[test]
fn what_is_founded_is_accepted_by_its_own_pin() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir(dir.path().to_owned());
    let world = World::real();
    let root_key = Signer::Here(trust::SecretKey::generate(&OsEntropy).unwrap());
    let alice: PersonId = "alice".parse().unwrap();
    let people = [NewPerson {
        id: alice.clone(),
        key: root_key.public().clone(),
        groups: vec!["engineers".parse().unwrap()],
    }];
    let founding = Founding {
        trust_domain: "shop.example/dev".parse().unwrap(),
        root: alice.clone(),
        root_key: &root_key,
        runner: "runner-1".parse().unwrap(),
        directory: directory_source(&people),
        policy: POLICY.to_owned(),
        self_serve: false,
    };
    let trust = found(&founding, &data, &world).unwrap();

    let file = TrustFile::parse(&trust.toml()).unwrap();
    assert_eq!(file.keyring, trust.keyring);
    let bytes = std::fs::read(data.documents()).unwrap();
    let documents: Documents = serde_json::from_slice(&bytes).unwrap();
    let pinned = Pinned {
        trust_domain: founding.trust_domain.clone(),
        keyring: VersionRef { version: 1, digest: trust.keyring },
    };
    let now = domain::Clock::now(&SystemClock);
    let authority = Authority::establish(
        &documents.keyring,
        &[],
        &documents.directory,
        &documents.policy,
        &pinned,
        &Seen::default(),
        now,
    )
    .unwrap();
    assert!(authority.person(&alice).is_some());
    assert!(!authority.target(&"shop".parse().unwrap()).unwrap().prod);
    // A second founding in the same place would orphan the first runner's receipts.
    assert!(found(&founding, &data, &world).is_err());
}

#[test]
fn what_would_never_serve_is_not_founded() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir(dir.path().to_owned());
    let root_key = Signer::Here(trust::SecretKey::generate(&OsEntropy).unwrap());
    let alice: PersonId = "alice".parse().unwrap();
    let refused = |domain: &str, policy: String| {
        let founding = Founding {
            trust_domain: domain.parse().unwrap(),
            root: alice.clone(),
            root_key: &root_key,
            runner: "runner-1".parse().unwrap(),
            directory: String::new(),
            policy,
            self_serve: false,
        };
        found(&founding, &data, &World::real()).map(drop).unwrap_err().to_string()
    };
    let prod = POLICY.replace("prod = false", "prod = true");
    assert!(refused("solo/alice", prod).contains("marked prod"));
    let open = format!("{POLICY}self_serve = {{ groups = [\"engineers\"], runs_per_day = 1 }}\n");
    assert!(refused("shop.example/dev", open).contains("self-serve"));
    assert!(!data.documents().exists());
}
