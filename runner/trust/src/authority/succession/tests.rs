//! Who could put another keyring in the place of the next one.

use domain::Digest;

use super::*;
use crate::authority::Authority;
use crate::document::{sign, sign_all, sign_more};
use crate::documents::{Directory, KeyringKey, Policy, Role};
use crate::testing::*;
use crate::{SecretKey, VersionRef, signed_so_far};

/// The key of rita, who becomes a root in version 2 in place of rosa.
const RITA: u8 = 50;
/// Her key in version 3, in which rosa is nothing any more.
const RITA2: u8 = 51;

fn after(previous: &Keyring) -> Keyring {
    let mut next = previous.clone();
    next.version += 1;
    next.previous = Some(digest_of(previous));
    next
}

fn second() -> Keyring {
    let mut next = after(&keyring());
    next.keys.push(KeyringKey { person: t("rita"), key: key(RITA).public().clone() });
    let root = next.roles.iter_mut().find(|r| r.role == Role::Root).unwrap();
    root.people = vec![t("ruth"), t("rita")];
    next
}

fn third() -> Keyring {
    let mut next = after(&second());
    next.keys.retain(|k| k.key != *key(RITA).public());
    next.keys.push(KeyringKey { person: t("rita"), key: key(RITA2).public().clone() });
    next
}

fn signed(doc: &Keyring, keys: &[u8]) -> Envelope {
    let secrets: Vec<SecretKey> = keys.iter().map(|n| key(*n)).collect();
    sign_all(doc, &secrets.iter().collect::<Vec<_>>()).unwrap()
}

fn known() -> Verified<Keyring> {
    newest_keyring(&signed_keyring(), &[], &pinned(), &Seen::default()).unwrap()
}

fn refusal(doc: &Keyring, keys: &[u8]) -> String {
    succeed(&known(), &signed(doc, keys), now()).unwrap_err().to_string()
}

#[test]
fn the_roots_of_both_keyrings_say_so() {
    let next = succeed(&known(), &signed(&second(), &[RUTH, ROOT2, RITA]), now()).unwrap();
    assert_eq!(next.doc().version, 2);
    let said = refusal(&second(), &[RUTH, ROOT2]);
    assert!(said.contains("1 of 2 people of the role `root`"), "the new ones are missing: {said}");
    let said = refusal(&second(), &[RUTH, RITA]);
    assert!(said.contains("1 of 2 people of the role `root`"), "the old ones are missing: {said}");
    let said = refusal(&second(), &[RUTH, 14, RITA]);
    assert!(said.contains("1 of 2 people"), "two keys of ruth are one person: {said}");
    let said = refusal(&second(), &[RUTH, ROOT2, RITA, OTTO]);
    assert!(said.contains("nobody known holds the key"), "{said}");
}

#[test]
fn the_next_version_of_this_one_and_no_other() {
    let all = [RUTH, ROOT2, RITA];
    let mut skips = second();
    skips.version = 3;
    assert!(refusal(&skips, &all).contains("it is not the next version"));
    let mut other = second();
    other.previous = Some(Digest::of(b"another"));
    assert!(refusal(&other, &all).contains("it names another predecessor"));
    let mut elsewhere = second();
    elsewhere.header.trust_domain = t("shop.example/prod");
    assert!(refusal(&elsewhere, &all).contains("trust domain"));
    let mut old = second();
    old.header.not_after = at(-1);
    assert!(refusal(&old, &all).contains("it is valid"));
    assert!(refusal(&keyring(), &[RUTH, ROOT2]).contains("it is not the next version"));
}

fn history() -> [Envelope; 2] {
    [signed(&second(), &[RUTH, ROOT2, RITA]), signed(&third(), &[RUTH, RITA, RITA2])]
}

#[test]
fn every_version_is_walked_and_directory_and_policy_belong_to_the_newest() {
    let newest = VersionRef { version: 3, digest: digest_of(&third()) };
    let directory = Directory { keyring: newest, ..directory() };
    let policy = Policy { keyring: newest, ..policy() };
    let establish = |successors: &[Envelope], pinned: &Pinned| {
        let (d, p) = (sign(&directory, &key(RUTH)).unwrap(), sign(&policy, &key(RUTH)).unwrap());
        let seen = Seen::default();
        Authority::establish(&signed_keyring(), successors, &d, &p, pinned, &seen, now())
    };
    let authority = establish(&history(), &pinned()).unwrap();
    assert_eq!(authority.pin().keyring, newest);
    assert_eq!(authority.seen().keyring, Some(newest));
    // A runner whose pin has moved skips what came before.
    assert!(establish(&history(), &authority.pin()).is_ok());
    let gap = establish(&history()[1..], &pinned()).unwrap_err().to_string();
    assert!(gap.contains("nobody known") || gap.contains("does not follow"), "{gap}");
    let unbound = establish(&history()[..1], &pinned()).unwrap_err().to_string();
    assert!(unbound.contains("the directory is bound to another keyring"), "{unbound}");
    let many = vec![history()[0].clone(); SUCCESSORS_MAX + 1];
    assert!(establish(&many, &pinned()).unwrap_err().to_string().contains("at most 64"));
}

#[test]
fn a_version_in_between_may_have_expired_the_newest_may_not() {
    let mut expired = second();
    expired.header.not_after = at(-1);
    let mut last = third();
    last.previous = Some(digest_of(&expired));
    let walk = [signed(&expired, &[RUTH, ROOT2, RITA]), signed(&last, &[RUTH, RITA, RITA2])];
    let seen = Seen::default();
    let newest = newest_keyring(&signed_keyring(), &walk, &pinned(), &seen).unwrap();
    assert!(newest.live(now()).is_ok());
    let newest = newest_keyring(&signed_keyring(), &walk[..1], &pinned(), &seen).unwrap();
    assert!(newest.live(now()).is_err());
}

#[test]
fn retired_roots_make_no_other_history() {
    // Rosa and ruth's old keys still fit version 1, and sign a version 2 of their own.
    let mut fork = after(&keyring());
    fork.floors.reviews_required = 0;
    let fork = signed(&fork, &[RUTH, ROOT2]);
    let [true_second, true_third] = history();
    let seen = |keyring: &Keyring| Seen {
        keyring: Some(VersionRef { version: keyring.version, digest: digest_of(keyring) }),
        ..Seen::default()
    };
    let walk = |walk: &[Envelope], seen: &Seen| {
        newest_keyring(&signed_keyring(), walk, &pinned(), seen).map(|k| k.doc().version)
    };
    assert_eq!(walk(&[true_second.clone(), true_third.clone()], &seen(&third())).unwrap(), 3);
    let said = walk(std::slice::from_ref(&fork), &seen(&second())).unwrap_err().to_string();
    assert!(said.contains("but version 2"), "{said}");
    // Withholding the newest is a rollback.
    let said = walk(std::slice::from_ref(&true_second), &seen(&third())).unwrap_err().to_string();
    assert!(said.contains("the keyring is version 2"), "{said}");
    // Nor do they sign the successor of a keyring in which they are nothing.
    let mut more = after(&third());
    more.roles[0].people = vec![t("ruth"), t("rosa")];
    let stolen = signed(&more, &[RUTH, ROOT2]);
    let all = [true_second, true_third, stolen];
    let said = walk(&all, &Seen::default()).unwrap_err().to_string();
    assert!(said.contains("1 of 2 people of the role `root`"), "{said}");
}

#[test]
fn people_sign_one_after_another() {
    let next = second();
    let one = sign(&next, &key(RUTH)).unwrap();
    let domain = &next.header.trust_domain;
    let so_far = |e: &Envelope, k: &Keyring| signed_so_far::<Keyring>(e, domain, k).unwrap();
    assert_eq!((so_far(&one, &keyring()).missing, so_far(&one, &next).missing), (1, 1));
    let two = sign_more::<Keyring>(&one, &key(ROOT2)).unwrap();
    assert_eq!((so_far(&two, &keyring()).missing, so_far(&two, &next).missing), (0, 1));
    let three = sign_more::<Keyring>(&two, &key(RITA)).unwrap();
    assert_eq!(so_far(&three, &next).signed, [t("rita"), t("ruth")]);
    assert_eq!(three.payload_digest(), one.payload_digest());
    assert!(succeed(&known(), &three, now()).is_ok());
    let twice = sign_more::<Keyring>(&three, &key(RITA)).unwrap_err().to_string();
    assert!(twice.contains("two signatures of"), "{twice}");
    let alone = sign_more::<crate::Review>(&sign(&review(), &key(CAROL)).unwrap(), &key(RUTH));
    assert!(alone.unwrap_err().to_string().contains("it has one signer"));
    // What somebody signed before is verified before the next one signs.
    let (kind, payload) = (one.payload_type().to_owned(), one.payload().to_vec());
    let wrong = crate::Sshsig::sign(&key(RUTH), "borescope-keyring-v1@elsewhere", b"");
    let broken = Envelope::assemble(kind, payload, vec![wrong]).unwrap();
    assert!(sign_more::<Keyring>(&broken, &key(ROOT2)).is_err());
}

#[test]
fn another_history_of_the_pinned_version_itself_is_not_believed() {
    // Whoever restores an old pin beside a newer memory of the same version.
    let twin = Some(VersionRef { version: 1, digest: Digest::of(b"twin") });
    let seen = Seen { keyring: twin, ..Seen::default() };
    let said = newest_keyring(&signed_keyring(), &[], &pinned(), &seen).unwrap_err().to_string();
    assert!(said.contains("the keyring is version 1"), "{said}");
}

#[test]
fn another_history_is_not_believed_because_more_of_it_follows() {
    let mut fork = after(&keyring());
    fork.floors.reviews_required = 0;
    let more = after(&fork);
    let walk = [signed(&fork, &[RUTH, ROOT2]), signed(&more, &[RUTH, ROOT2])];
    let second = Some(VersionRef { version: 2, digest: digest_of(&second()) });
    let seen = Seen { keyring: second, ..Seen::default() };
    let said = newest_keyring(&signed_keyring(), &walk, &pinned(), &seen).unwrap_err().to_string();
    assert!(said.contains("but version 2"), "{said}");
}
