//! A key claim proves that somebody has the key, and nothing else.

use super::*;
use crate::document::{sign, sign_all};
use crate::testing::*;
use crate::{PersonKind, Review};

fn domain() -> TrustDomain {
    t("shop.example/test")
}

fn refusal(envelope: &Envelope) -> String {
    verify_key_claim(envelope, &domain()).unwrap_err().to_string()
}

#[test]
fn a_claim_is_signed_by_the_key_that_it_is_about() {
    let claim = verify_key_claim(&sign(&key_claim(), &key(NEWCOMER)).unwrap(), &domain()).unwrap();
    assert_eq!(claim.doc().key, *key(NEWCOMER).public());
    // Somebody else's key is not had by naming it.
    let said = refusal(&sign(&key_claim(), &key(OTTO)).unwrap());
    assert!(said.starts_with("key-claim: it names SHA256:"), "{said}");
    let two = sign_all(&key_claim(), &[&key(NEWCOMER), &key(OTTO)]).unwrap();
    assert!(refusal(&two).contains("it has 2 signatures"));
    let mut elsewhere = key_claim();
    elsewhere.header.trust_domain = t("shop.example/prod");
    assert!(refusal(&sign(&elsewhere, &key(NEWCOMER)).unwrap()).contains("trust domain"));
    let touched = SecurityKey::new(21);
    let mut on_token = key_claim();
    on_token.key = touched.public();
    assert!(verify_key_claim(&touched.sign(&on_token, 0x01), &domain()).is_ok());
    assert!(refusal(&touched.sign(&on_token, 0x00)).contains("without being touched"));
}

#[test]
fn a_claimed_key_says_nothing_until_a_directory_has_it() {
    let nobody = BTreeSet::new();
    let mut by_nina = review();
    by_nina.reviewer = t("nina");
    let signed = sign(&by_nina, &key(NEWCOMER)).unwrap();
    let refused = authority().verify::<Review>(&signed, &nobody).unwrap_err();
    assert!(refused.to_string().contains("nobody known holds the key"), "{refused}");
    // A holder of the role puts it into the next directory.
    let mut next = directory();
    next.people.push(crate::testing::person("nina", NEWCOMER, PersonKind::Human, &["reviewers"]));
    let authority = authority_with(&next, &policy());
    assert!(authority.verify::<Review>(&signed, &nobody).is_ok());
    // A claim is no document of a person: nobody is asked for it by the directory.
    let claim = sign(&key_claim(), &key(NEWCOMER)).unwrap();
    assert!(authority.verify::<KeyClaim>(&claim, &nobody).is_err());
}

#[test]
fn a_document_of_one_signer_has_nobody_to_wait_for() {
    let signed = sign(&review(), &key(CAROL)).unwrap();
    let refused = signed_so_far::<Review>(&signed, &domain(), &keyring()).unwrap_err();
    assert!(refused.to_string().contains("it has one signer"), "{refused}");
    let lift = sign(&lift(), &key(RUTH)).unwrap();
    let so_far = signed_so_far::<crate::Lift>(&lift, &domain(), &keyring()).unwrap();
    assert_eq!(so_far, SoFar { signed: vec![t("ruth")], missing: 1 });
}

#[test]
fn a_signature_that_is_remembered_fits_for_its_own_purpose_only() {
    use sha2::{Digest as _, Sha512};

    let hash: [u8; 64] = Sha512::digest(b"what was signed").into();
    let signature = crate::Sshsig::sign(&key(OTTO), "a-review", b"what was signed");
    let fitting = Fitting::default();
    fitting.verify(&signature, "a-review", &hash).unwrap();
    fitting.verify(&signature, "a-review", &hash).unwrap();
    fitting.verify(&signature, "an-approval", &hash).unwrap_err();
    let other: [u8; 64] = Sha512::digest(b"something else").into();
    fitting.verify(&signature, "a-review", &other).unwrap_err();
}
