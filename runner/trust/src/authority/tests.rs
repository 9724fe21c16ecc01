//! What would have to be forged to change who may decide.

use super::*;
use crate::document::{sign, sign_all};
use crate::testing::*;
use domain::Digest;

fn refusal(seen: &Seen, k: &Envelope, d: &Envelope, p: &Envelope) -> String {
    establish(seen, k, d, p).unwrap_err().to_string()
}

fn good() -> (Envelope, Envelope, Envelope) {
    let d = sign(&directory(), &key(RUTH)).unwrap();
    let p = sign(&policy(), &key(RUTH)).unwrap();
    (signed_keyring(), d, p)
}

#[test]
fn the_three_that_belong_together_are_accepted() {
    let a = authority();
    assert_eq!(a.keyring_ref(), keyring_ref());
    assert_eq!(a.target(&t("shop")).unwrap().rules().query.calls_max, 20);
    assert_eq!(a.runner_key(&t("local")), Some(key(RUNNER).public()));
    let (k, d, p) = good();
    assert!(establish(&a.seen(), &k, &d, &p).is_ok());
}

#[test]
fn two_keys_of_one_person_are_one_person() {
    let (_, d, p) = good();
    // Ruth has two keys in the keyring, and the root threshold is two people.
    let k = sign_all(&keyring(), &[&key(RUTH), &key(14)]).unwrap();
    assert!(refusal(&Seen::default(), &k, &d, &p).contains("1 of 2 people of the role `root`"));
    let k = sign(&keyring(), &key(RUTH)).unwrap();
    assert!(refusal(&Seen::default(), &k, &d, &p).contains("1 of 2 people"));
}

#[test]
fn another_keyring_is_not_believed_whoever_signed_it() {
    let (_, d, p) = good();
    let mut wider = keyring();
    wider.floors.reviews_required = 0;
    let k = sign_all(&wider, &[&key(RUTH), &key(ROOT2)]).unwrap();
    assert!(refusal(&Seen::default(), &k, &d, &p).contains("the pinned one is version 1"));
}

#[test]
fn only_the_role_signs() {
    let (k, d, p) = good();
    let by_rosa = sign(&directory(), &key(ROOT2)).unwrap();
    assert!(
        refusal(&Seen::default(), &k, &by_rosa, &p)
            .contains("rosa does not hold the role `directory`")
    );
    let by_otto = sign(&policy(), &key(OTTO)).unwrap();
    assert!(refusal(&Seen::default(), &k, &d, &by_otto).contains("nobody known"));
}

#[test]
fn versions_only_go_forward() {
    let (k, d, p) = good();
    let newer = Some(VersionRef { version: 2, digest: Digest::of(b"newer") });
    let seen = Seen { directory: newer, ..Seen::default() };
    assert!(refusal(&seen, &k, &d, &p).contains("the directory is version 1"));
    let twin = Some(VersionRef { version: 1, digest: Digest::of(b"twin") });
    let seen = Seen { policy: twin, ..Seen::default() };
    assert!(refusal(&seen, &k, &d, &p).contains("the policy is version 1"));
}

#[test]
fn the_next_version_names_the_one_that_was_seen() {
    let (k, d, _) = good();
    let seen = authority().seen();
    let mut next = policy();
    (next.version, next.previous) = (2, seen.policy.map(|p| p.digest));
    assert!(establish(&seen, &k, &d, &sign(&next, &key(RUTH)).unwrap()).is_ok());
    next.previous = Some(Digest::of(b"another history"));
    let fork = sign(&next, &key(RUTH)).unwrap();
    assert!(refusal(&seen, &k, &d, &fork).contains("policy version 2 does not follow version 1"));
    // Versions that never came here may lie in between.
    next.version = 3;
    assert!(establish(&seen, &k, &d, &sign(&next, &key(RUTH)).unwrap()).is_ok());
}

#[test]
fn expired_or_unbound_documents_are_refused() {
    let (k, d, p) = good();
    let mut old = policy();
    old.header.not_after = at(-1);
    let old = sign(&old, &key(RUTH)).unwrap();
    assert!(refusal(&Seen::default(), &k, &d, &old).contains("policy: it is valid"));
    let mut unbound = directory();
    unbound.keyring.digest = Digest::of(b"other");
    let unbound = sign(&unbound, &key(RUTH)).unwrap();
    assert!(refusal(&Seen::default(), &k, &unbound, &p).contains("bound to another keyring"));
    let later = authority().live(at(3601)).unwrap_err();
    assert!(later.to_string().starts_with("keyring: it is valid"));
}

#[test]
fn a_policy_below_the_keyrings_floor_is_refused() {
    let (k, d, _) = good();
    let mut low = policy();
    low.targets[0].approvals.required = 0;
    let low = sign(&low, &key(RUTH)).unwrap();
    assert!(
        refusal(&Seen::default(), &k, &d, &low)
            .contains("target shop needs 0 approvals, the keyring's floor is 1")
    );
}

#[test]
fn people_sign_with_security_keys_that_they_touch() {
    let (token, mut with_token) = (SecurityKey::new(30), directory());
    with_token.people[1].keys[0].key = token.public();
    let authority = authority_with(&with_token, &policy());
    let nobody = std::collections::BTreeSet::new();
    let review = review();
    let verified = authority.verify::<crate::Review>(&token.sign(&review, 0x01), &nobody).unwrap();
    assert_eq!(verified.signers()[0].name, "carol");
    assert_eq!(verified.signers()[0].key, token.public().fingerprint());
    let untouched = authority.verify::<crate::Review>(&token.sign(&review, 0x00), &nobody);
    assert!(untouched.unwrap_err().to_string().contains("without being touched"));
    // The same material as a plain key is not what carol enrolled.
    let plain = authority.verify::<crate::Review>(&sign(&review, &key(30)).unwrap(), &nobody);
    assert!(plain.unwrap_err().to_string().contains("nobody known holds the key"));
    let sent = token.sign(&review, 0x01).to_json().unwrap();
    assert!(
        authority.verify::<crate::Review>(&Envelope::from_json(&sent).unwrap(), &nobody).is_ok()
    );
}

#[test]
fn roles_may_be_held_with_security_keys_and_an_untouched_one_does_not_count() {
    let (token, mut keyring) = (SecurityKey::new(31), keyring());
    keyring.keys[0].key = token.public();
    let name = crate::namespace::<Keyring>(&keyring.header.trust_domain);
    let bytes = crate::payload(&keyring).unwrap();
    let message = crate::pae(&crate::payload_type::<Keyring>(), &bytes);
    let signed = |flags| {
        let ruth = crate::Sshsig::from_blob(&token.sshsig(&name, &message, flags)).unwrap();
        let rosa = crate::Sshsig::sign(&key(ROOT2), &name, &message);
        let kind = crate::payload_type::<Keyring>();
        let envelope = Envelope::assemble(kind, bytes.clone(), vec![ruth, rosa]).unwrap();
        let domain = &keyring.header.trust_domain;
        verify::threshold::<Keyring>(&envelope, domain, &keyring, Role::Root)
    };
    assert_eq!(signed(0x05).unwrap().signers().len(), 2);
    assert!(signed(0x00).unwrap_err().to_string().contains("without being touched"));
}

#[test]
fn what_signs_without_a_person_is_no_security_key() {
    let mut touched_by_whom = policy();
    touched_by_whom.runners[0].key = SecurityKey::new(32).public();
    let refused = sign(&touched_by_whom, &key(RUTH)).unwrap_err().to_string();
    assert!(refused.contains("field `runners.0.key`: is on a security key"), "{refused}");
    let mut status = keyring();
    status.roles.retain(|r| r.role != Role::Status);
    status.keys[1].key = SecurityKey::new(33).public();
    assert!(sign(&status, &key(RUTH)).is_ok());
    let people = vec![t("rosa")];
    status.roles.push(crate::RoleRule { role: Role::Status, threshold: 1, people });
    let refused = sign(&status, &key(RUTH)).unwrap_err().to_string();
    assert!(refused.contains("field `keys.1`: is on a security key"), "{refused}");
}

#[test]
fn one_material_under_two_types_has_one_holder() {
    // Whoever knows the secret of a plain key can sign as if it were on a security key.
    let mut twice = directory();
    twice.people[2].keys[0].key = SecurityKey::new(ANNA).public();
    let refused = sign(&twice, &key(RUTH)).unwrap_err().to_string();
    assert!(refused.contains("anna has this key already"), "{refused}");
    let mut both = keyring();
    both.keys[1].key = SecurityKey::new(RUTH).public();
    let refused = sign(&both, &key(RUTH)).unwrap_err().to_string();
    assert!(refused.contains("the key is listed twice"), "{refused}");
    let mut shared = directory();
    shared.people[2].keys[0].key = SecurityKey::new(ROOT2).public();
    let (k, _, p) = good();
    let shared = sign(&shared, &key(RUTH)).unwrap();
    assert!(refusal(&Seen::default(), &k, &shared, &p).contains("a key has one holder"));
}

#[test]
fn a_key_has_one_holder() {
    let mut twice = directory();
    let stolen = twice.people[0].keys[0].clone();
    twice.people[2].keys.push(stolen);
    assert!(
        sign(&twice, &key(RUTH)).unwrap_err().to_string().contains("anna has this key already")
    );
    let mut shared = directory();
    shared.people[3].id = t("rudi");
    let (k, _, p) = good();
    let shared = sign(&shared, &key(RUTH)).unwrap();
    assert!(refusal(&Seen::default(), &k, &shared, &p).contains("a key has one holder"));
}

#[test]
fn each_floor_of_the_keyring_holds_by_itself() {
    let (k, d, _) = good();
    let said = |change: fn(&mut PolicyTarget)| {
        let mut low = policy();
        change(&mut low.targets[0]);
        refusal(&Seen::default(), &k, &d, &sign(&low, &key(RUTH)).unwrap())
    };
    let reviews = said(|t| (t.reviews.required, t.reviews_unchanged) = (0, None));
    assert!(reviews.contains("needs 0 reviews, "), "{reviews}");
    let emergency = said(|t| t.break_glass.as_mut().unwrap().approvals.required = 0);
    assert!(emergency.contains("0 approvals in an emergency"), "{emergency}");

    let refused = |change: fn(&mut Keyring)| {
        let mut strict = keyring();
        change(&mut strict);
        establish_under(&strict, &policy()).unwrap_err().to_string()
    };
    let unchanged = refused(|k| k.floors.reviews_required = 2);
    assert!(unchanged.contains("reviews"), "{unchanged}");
    let self_serve = refused(|k| k.floors.self_serve = false);
    assert!(self_serve.contains("has `self_serve`"), "{self_serve}");
}

#[test]
fn keyring_directory_and_policy_each_run_out() {
    let (_, _, p) = good();
    let mut short = keyring();
    short.header.not_after = at(-1);
    let said = establish_under(&short, &policy()).unwrap_err().to_string();
    assert!(said.contains("keyring: it is valid"), "{said}");
    let mut old = directory();
    old.header.not_after = at(-1);
    let old = sign(&old, &key(RUTH)).unwrap();
    assert!(refusal(&Seen::default(), &signed_keyring(), &old, &p).contains("directory: it is"));

    // An authority outlives its making: each of the three ends it.
    let mut directory = directory();
    directory.header.not_after = at(10);
    let said = authority_with(&directory, &policy()).live(at(11)).unwrap_err().to_string();
    assert!(said.starts_with("directory: it is valid"), "{said}");
    let mut policy = policy();
    policy.header.not_after = at(10);
    let directory = crate::testing::directory();
    let said = authority_with(&directory, &policy).live(at(11)).unwrap_err().to_string();
    assert!(said.starts_with("policy: it is valid"), "{said}");
}

#[test]
fn an_older_or_other_directory_and_policy_are_each_refused() {
    let (k, d, p) = good();
    let seen = |version, text: &[u8]| Some(VersionRef { version, digest: Digest::of(text) });
    for (version, text) in [(2, &b"newer"[..]), (1, b"twin")] {
        let directory = Seen { directory: seen(version, text), ..Seen::default() };
        assert!(refusal(&directory, &k, &d, &p).contains("the directory is version 1"));
        let policy = Seen { policy: seen(version, text), ..Seen::default() };
        assert!(refusal(&policy, &k, &d, &p).contains("the policy is version 1"));
    }
}

#[test]
fn a_receipt_is_by_the_runner_that_it_names_not_by_another_of_the_policy() {
    let mut two = policy();
    let mut second = two.runners[0].clone();
    (second.name, second.key) = (t("second"), key(21).public().clone());
    two.runners.push(second);
    let authority = authority_with(&directory(), &two);
    let of_second = Receipt { runner: t("second"), ..receipt() };
    assert!(authority.verify_receipt(&sign(&of_second, &key(21)).unwrap()).is_ok());
    let by_first = authority.verify_receipt(&sign(&of_second, &key(RUNNER)).unwrap()).unwrap_err();
    assert!(by_first.to_string().contains("names runner second"), "{by_first}");
}

#[test]
fn a_human_holds_a_role_and_no_service_does() {
    let mut directory = directory();
    let mut rosa = person("rosa", ROOT2, crate::PersonKind::Agent, &["oncall"]);
    rosa.keys.clear();
    directory.people.push(rosa);
    let d = sign(&directory, &key(RUTH)).unwrap();
    let p = sign(&policy(), &key(RUTH)).unwrap();
    let said = refusal(&Seen::default(), &signed_keyring(), &d, &p);
    assert!(said.contains("rosa"), "{said}");
}

#[test]
fn the_first_keyring_is_signed_by_its_roots_and_by_nobody_else() {
    let (_, d, p) = good();
    let k = sign_all(&keyring(), &[&key(RUTH), &key(ROOT2), &key(OTTO)]).unwrap();
    let said = refusal(&Seen::default(), &k, &d, &p);
    assert!(said.contains("nobody known holds the key"), "{said}");
}
