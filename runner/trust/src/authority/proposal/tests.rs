//! Whose signatures a proposal still lacks, and what can never follow what is in force.

use domain::decide::StopSubject;

use super::*;
use crate::document::{sign, sign_all};
use crate::documents::KeyringKey;
use crate::negative::Negative;
use crate::testing::*;
use crate::{KeyStatus, PersonKind, SecretKey};

const RITA: u8 = 50;

fn second() -> Keyring {
    let mut next = keyring();
    (next.version, next.previous) = (2, Some(digest_of(&keyring())));
    next.keys.push(KeyringKey { person: t("rita"), key: key(RITA).public().clone() });
    let root = next.roles.iter_mut().find(|r| r.role == Role::Root).unwrap();
    root.people = vec![t("ruth"), t("rita")];
    next
}

fn next_directory(keyring: VersionRef) -> Directory {
    let previous = Some(digest_of(&directory()));
    Directory { version: 2, previous, keyring, ..directory() }
}

fn next_policy(keyring: VersionRef) -> Policy {
    Policy { version: 2, previous: Some(digest_of(&policy())), keyring, ..policy() }
}

fn of(keyring: &Keyring) -> VersionRef {
    VersionRef { version: keyring.version, digest: digest_of(keyring) }
}

fn signed<D: Document>(doc: &D, keys: &[u8]) -> Envelope {
    let secrets: Vec<SecretKey> = keys.iter().map(|n| key(*n)).collect();
    sign_all(doc, &secrets.iter().collect::<Vec<_>>()).unwrap()
}

fn judge(envelope: &Envelope) -> Result<Proposed, AuthorityError> {
    authority().judge(envelope, &[], &InForce::default(), now())
}

fn refusal(envelope: &Envelope) -> String {
    judge(envelope).unwrap_err().to_string()
}

fn lacks(proposed: &Proposed) -> Vec<String> {
    proposed.lacks.iter().map(ToString::to_string).collect()
}

#[test]
fn a_keyring_lacks_the_roots_of_the_old_and_of_the_new() {
    let proposed = judge(&signed(&second(), &[RUTH])).unwrap();
    let wanted = [
        "1 more of the role `root` of keyring version 1 (rosa)",
        "1 more of the role `root` of keyring version 2 (rita)",
    ];
    assert_eq!(lacks(&proposed), wanted);
    let proposed = judge(&signed(&second(), &[RUTH, RITA])).unwrap();
    assert_eq!(lacks(&proposed), wanted[..1], "only the new ones");
    let proposed = judge(&signed(&second(), &[RUTH, ROOT2])).unwrap();
    assert_eq!(lacks(&proposed), wanted[1..], "only the old ones");
    assert!(judge(&signed(&second(), &[RUTH, ROOT2, RITA])).unwrap().lacks.is_empty());
    // Ruth's second key makes her no second person.
    let proposed = judge(&signed(&second(), &[RUTH, 14, RITA])).unwrap();
    assert_eq!(lacks(&proposed), wanted[..1]);
}

#[test]
fn only_the_next_version_of_what_is_in_force_is_proposed() {
    let next = next_directory(keyring_ref());
    assert!(judge(&signed(&next, &[RUTH])).unwrap().lacks.is_empty());
    let again = refusal(&sign(&directory(), &key(RUTH)).unwrap());
    assert!(again.contains("only version 2 can follow it"), "{again}");
    let skips = refusal(&signed(&Directory { version: 3, ..next.clone() }, &[RUTH]));
    assert!(skips.contains("only version 2 can follow it"), "{skips}");
    let fork = Directory { previous: Some(Digest::of(b"another first")), ..next.clone() };
    assert!(refusal(&signed(&fork, &[RUTH])).contains("does not follow version 1"));
    let fork = Keyring { previous: Some(Digest::of(b"another first")), ..second() };
    assert!(refusal(&signed(&fork, &[RUTH])).contains("does not follow version 1"));
    let mut late = next;
    late.header.not_after = at(-1);
    assert!(refusal(&signed(&late, &[RUTH])).contains("it is valid"), "it is over");
    assert!(refusal(&signed(&review(), &[CAROL])).contains("the envelope carries"));
}

#[test]
fn nobody_signs_without_the_role() {
    let next = next_directory(keyring_ref());
    assert!(refusal(&signed(&next, &[RUTH, ANNA])).contains("nobody known holds the key"));
    assert!(refusal(&signed(&next, &[ROOT2])).contains("does not hold the role `directory`"));
    assert!(refusal(&signed(&next, &[BOT])).contains("nobody known holds the key"), "an agent");
    assert!(refusal(&signed(&second(), &[RUTH, ANNA])).contains("nobody known holds the key"));
}

#[test]
fn what_would_break_a_rule_is_refused_when_it_is_proposed() {
    let mut shared = next_directory(keyring_ref());
    let theft = crate::PersonKey {
        key: key(ROOT2).public().clone(),
        status: KeyStatus::Active,
        since: None,
    };
    shared.people[0].keys.push(theft);
    assert!(refusal(&signed(&shared, &[RUTH])).contains("a key has one holder"));
    let mut service = next_directory(keyring_ref());
    let ruth = service.people.iter_mut().find(|p| p.id.as_str() == "ruth").unwrap();
    (ruth.kind, ruth.owner) = (PersonKind::Service, Some(t("otto")));
    assert!(refusal(&signed(&service, &[RUTH])).contains("is no human in the directory"));
    let mut low = next_policy(keyring_ref());
    low.targets[0].approvals.required = 0;
    let said = refusal(&signed(&low, &[RUTH]));
    assert!(said.contains("the keyring's floor is 1"), "{said}");
    let unbound = next_policy(VersionRef { version: 9, digest: Digest::of(b"nothing") });
    assert!(refusal(&signed(&unbound, &[RUTH])).contains("bound to another keyring"));
}

#[test]
fn a_directory_under_a_proposed_keyring_is_judged_by_that_keyring() {
    let mut keyring = second();
    let holders = keyring.roles.iter_mut().find(|r| r.role == Role::Directory).unwrap();
    holders.people = vec![t("rita")];
    keyring.floors.approvals_required = 2;
    let known = [ProposedKeyring { version: of(&keyring), keyring: keyring.clone() }];
    let judge = |e: &Envelope| authority().judge(e, &known, &InForce::default(), now());
    let directory = next_directory(of(&keyring));
    assert!(judge(&signed(&directory, &[RITA])).unwrap().lacks.is_empty());
    let said = judge(&signed(&directory, &[RUTH])).unwrap_err().to_string();
    assert!(said.contains("ruth does not hold the role `directory`"), "{said}");
    let said = judge(&signed(&next_policy(of(&keyring)), &[RUTH])).unwrap_err().to_string();
    assert!(said.contains("the keyring's floor is 2"), "{said}");
}

#[test]
fn who_is_stopped_counts_for_nothing() {
    let mut in_force = InForce::default();
    in_force.apply(Negative::Stop(Digest::of(b"stop"), StopSubject::Person(t("ruth"))));
    let envelope = signed(&second(), &[RUTH, ROOT2, RITA]);
    let proposed = authority().judge(&envelope, &[], &in_force, now()).unwrap();
    assert_eq!(proposed.stopped.len(), 1);
    assert_eq!(
        lacks(&proposed),
        [
            "1 more of the role `root` of keyring version 1 (nobody who could)",
            "1 more of the role `root` of keyring version 2 (nobody who could)",
        ]
    );
    let seen = authority().seen();
    assert!(authority().unstopped_since(&seen, &in_force).is_ok(), "what was adopted stays");
    let newer = Seen { directory: None, ..seen };
    let said = authority().unstopped_since(&newer, &in_force).unwrap_err().to_string();
    assert!(said.contains("ruth, who signed it, is stopped"), "{said}");
}
