//! One signature, one document: nothing else is carried by it.

use super::*;

fn every_byte<D: Document>(doc: &D, n: u8) {
    let authority = authority();
    let good = sign(doc, &key(n)).unwrap();
    // Its signature is known from here on, and must lend nothing to any other document.
    assert!(authority.verify::<D>(&good, &BTreeSet::new()).is_ok());
    let payload = good.payload().to_vec();
    for i in 0..payload.len() {
        for bit in [0x01, 0x80] {
            let mut bytes = payload.clone();
            bytes[i] ^= bit;
            let bad = crate::Envelope::assemble(
                good.payload_type().to_owned(),
                bytes,
                good.signatures().to_vec(),
            )
            .unwrap();
            let refused = authority.verify::<D>(&bad, &BTreeSet::new());
            assert!(refused.is_err(), "{} byte {i} bit {bit:#x}", D::DOC);
        }
    }
    assert!(authority.verify::<D>(&good, &BTreeSet::new()).is_ok());
}

#[test]
fn no_byte_of_a_statement_can_change() {
    every_byte(&submission(), ANNA);
    every_byte(&review(), CAROL);
    every_byte(&access_request(), OTTO);
    every_byte(&approval(), RUTH);
    every_byte(&run_request(), OTTO);
    every_byte(&stop(), RUTH);
    every_byte(&login(), OTTO);
    every_byte(&withdrawal(), CAROL);
    every_byte(&after_review(), RUTH);
}

#[test]
fn a_known_signature_lends_nothing_to_another() {
    let authority = authority();
    let good = sign(&review(), &key(CAROL)).unwrap();
    let verify =
        |envelope: &crate::Envelope| authority.verify::<Review>(envelope, &BTreeSet::new());
    assert!(verify(&good).is_ok() && verify(&good).is_ok());
    let blob = good.signatures()[0].to_blob();
    for i in 0..blob.len() {
        let mut blob = blob.clone();
        blob[i] ^= 1;
        let Ok(forged) = crate::Sshsig::from_blob(&blob) else { continue };
        let (kind, payload) = (good.payload_type().to_owned(), good.payload().to_vec());
        let bad = crate::Envelope::assemble(kind, payload, vec![forged]).unwrap();
        assert!(verify(&bad).is_err(), "byte {i} of the signature");
    }
    // Known or not: a key that is stopped by now no longer speaks.
    let stopped = BTreeSet::from([key(CAROL).fingerprint().to_string()]);
    assert!(authority.verify::<Review>(&good, &stopped).is_err());
}

#[test]
fn a_signature_serves_one_kind_of_document_in_one_trust_domain() {
    let authority = authority();
    let good = sign(&review(), &key(CAROL)).unwrap();
    // The signature over the right bytes, made for another purpose.
    let message = crate::pae(good.payload_type(), good.payload());
    for namespace in
        ["borescope-approval-v1@shop.example/test", "borescope-review-v1@shop.example/prod", "git"]
    {
        let signature = crate::Sshsig::sign(&key(CAROL), namespace, &message);
        let bad = crate::Envelope::assemble(
            good.payload_type().to_owned(),
            good.payload().to_vec(),
            vec![signature],
        )
        .unwrap();
        let refused = authority.verify::<Review>(&bad, &BTreeSet::new()).unwrap_err();
        assert!(matches!(refused.problem, Problem::Signature(_)), "{refused}");
    }
    let mut elsewhere = review();
    elsewhere.header.trust_domain = t("shop.example/prod");
    let elsewhere = sign(&elsewhere, &key(CAROL)).unwrap();
    let refused = authority.verify::<Review>(&elsewhere, &BTreeSet::new()).unwrap_err();
    assert!(matches!(refused.problem, Problem::TrustDomain { .. }), "{refused}");
}

#[test]
fn a_persons_document_has_one_signature() {
    let two = crate::sign_all(&review(), &[&key(CAROL), &key(ANNA)]).unwrap();
    let refused = authority().verify::<Review>(&two, &BTreeSet::new()).unwrap_err();
    assert_eq!(refused.problem, Problem::SignatureCount(2));
}

#[test]
fn a_receipt_is_the_runners_alone() {
    let authority = authority();
    assert!(authority.verify_receipt(&sign(&receipt(), &key(RUNNER)).unwrap()).is_ok());
    let forged = authority.verify_receipt(&sign(&receipt(), &key(OTTO)).unwrap()).unwrap_err();
    assert!(forged.to_string().contains("it names runner local"), "{forged}");
}

#[test]
fn a_login_answers_this_challenge_of_this_server_now() {
    let a = authority();
    let signed = sign(&login(), &key(OTTO)).unwrap();
    let none = BTreeSet::new();
    let nonce = crate::Salt([11; 16]);
    let origin = "http://127.0.0.1:7000";
    assert!(a.verify_login(&signed, origin, &nonce, &none, now()).is_ok());
    assert!(a.verify_login(&signed, "http://evil", &nonce, &none, now()).is_err());
    assert!(a.verify_login(&signed, origin, &crate::Salt([0; 16]), &none, now()).is_err());
    assert!(a.verify_login(&signed, origin, &nonce, &none, at(61)).is_err());
}

#[test]
fn fixture_people_are_who_the_tests_say() {
    let kinds: std::collections::BTreeMap<_, _> =
        directory().people.iter().map(|p| (p.id.to_string(), p.kind)).collect();
    assert_eq!(kinds["bot"], PersonKind::Agent);
    assert!(directory().people.iter().all(|p| p.keys[0].status == KeyStatus::Active));
}
