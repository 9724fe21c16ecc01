//! What could follow the documents that say who may do what.

use domain::{DirectoryId, KeyClaimId, KeyringId, PolicyId};
use executor::AuthorityDocuments;
use ledger::TrustFile;
use trust::{
    Directory, Document, Envelope, KeyClaim, KeyStatus, Keyring, Person, PersonKey, PersonKind,
    Policy, SecretKey, VersionRef,
};

use super::{Company, p};

impl Company {
    /// The newest documents.
    pub fn documents(&self) -> AuthorityDocuments {
        AuthorityDocuments {
            keyring: self.keyring.clone(),
            successors: self.successors.clone(),
            directory: self.directory.clone(),
            policy: self.policy.clone(),
        }
    }

    /// Goes on with these as the newest documents.
    pub fn go_on_with(&mut self, documents: AuthorityDocuments) {
        let AuthorityDocuments { keyring, successors, directory, policy } = documents;
        (self.keyring, self.successors) = (keyring, successors);
        (self.directory, self.policy) = (directory, policy);
    }

    /// What an auditor of this company trusts: its first keyring.
    pub fn trust_file(&self) -> TrustFile {
        let text = format!(
            "trust_domain = \"{}\"\nkeyring = \"{}\"\n[[log]]\nvkey = \"{}\"\n",
            self.domain,
            self.keyring.payload_digest(),
            self.log_key().verifier()
        );
        TrustFile::parse(&text).unwrap()
    }

    /// Keeps somebody's key, so that they can sign.
    pub fn enrol(&mut self, name: &str, key: SecretKey) {
        self.keys.insert(name.to_owned(), key);
    }

    /// Signed by several.
    pub fn signed_by<D: Document>(&self, people: &[&str], document: &D) -> Envelope {
        let keys: Vec<&SecretKey> = people.iter().map(|person| self.key(person)).collect();
        trust::sign_all(document, &keys).unwrap()
    }

    /// The keyring after the newest.
    pub fn next_keyring(&self, change: impl FnOnce(&mut Keyring)) -> Keyring {
        let newest = self.successors.last().unwrap_or(&self.keyring);
        let mut next: Keyring = trust::read_unverified(newest).unwrap();
        let (clock, entropy) = self.c();
        next.header = self.header(KeyringId::new(clock, entropy), 365);
        (next.version, next.previous) = (next.version + 1, Some(newest.payload_digest()));
        change(&mut next);
        next
    }

    /// The directory after the newest.
    pub fn next_directory(&self, change: impl FnOnce(&mut Directory)) -> Directory {
        let mut next: Directory = trust::read_unverified(&self.directory).unwrap();
        let (clock, entropy) = self.c();
        next.header = self.header(DirectoryId::new(clock, entropy), 90);
        (next.version, next.previous) = (next.version + 1, Some(self.directory.payload_digest()));
        next.keyring = self.keyring_ref();
        change(&mut next);
        next
    }

    /// The policy after the newest.
    pub fn next_policy(&self, change: impl FnOnce(&mut Policy)) -> Policy {
        let mut next: Policy = trust::read_unverified(&self.policy).unwrap();
        let (clock, entropy) = self.c();
        next.header = self.header(PolicyId::new(clock, entropy), 90);
        (next.version, next.previous) = (next.version + 1, Some(self.policy.payload_digest()));
        next.keyring = self.keyring_ref();
        change(&mut next);
        next
    }

    /// A claim that `key` is `person`'s, signed by itself.
    pub fn key_claim(&self, person: &str, key: &SecretKey) -> Envelope {
        let (clock, entropy) = self.c();
        let mut header = self.header(KeyClaimId::new(clock, entropy), 1);
        header.not_before = clock.now();
        let claim = KeyClaim {
            header,
            person: p(person),
            name: p("New Here"),
            key: key.public().clone(),
            note: p("call me"),
        };
        trust::sign(&claim, key).unwrap()
    }

    /// A fresh key.
    pub fn fresh_key(&self) -> SecretKey {
        SecretKey::generate(self.c().1).unwrap()
    }
}

/// The version of a document that is not the newest yet.
pub fn version_of<D: Document>(version: u64, document: &D) -> VersionRef {
    let payload = trust::payload(document).unwrap();
    VersionRef { version, digest: domain::Digest::of(&payload) }
}

/// Alters one person of a directory.
pub fn change_person(directory: &mut Directory, name: &str, change: impl FnOnce(&mut Person)) {
    change(directory.people.iter_mut().find(|person| person.id.as_str() == name).unwrap());
}

/// A human with one key.
pub fn newcomer(name: &str, key: &SecretKey) -> Person {
    let key = PersonKey { key: key.public().clone(), status: KeyStatus::Active, since: None };
    Person {
        id: p(name),
        name: name.to_owned(),
        kind: PersonKind::Human,
        owner: None,
        keys: vec![key],
        groups: vec![p("dev")],
    }
}
