//! The envelope's own strictness: one JSON shape, one base64, one signature per key.

use super::*;
use crate::document::{sign, sign_all};
use crate::testing::*;

fn text() -> String {
    String::from_utf8(sign(&review(), &key(CAROL)).unwrap().to_json().unwrap()).unwrap()
}

fn refusal(text: &str) -> String {
    Envelope::from_json(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn the_published_pae_is_what_we_write() {
    let known = include_bytes!("../../golden/vectors/kat.pae");
    let payload = &known[known.len() - 332..];
    assert_eq!(pae("application/vnd.in-toto+json", payload), known);
}

#[test]
fn an_envelope_reads_back() {
    let envelope = sign(&review(), &key(CAROL)).unwrap();
    assert_eq!(Envelope::from_json(text().as_bytes()).unwrap(), envelope);
    assert_eq!(envelope.payload_digest(), digest_of(&review()));
}

#[test]
fn unknown_double_and_trailing_content_is_refused() {
    let text = text();
    assert!(refusal(&text.replacen('{', "{\"x\":1,", 1)).contains("unknown field `x`"));
    assert!(
        refusal(&text.replacen('{', "{\"payload\":\"\",", 1)).contains("duplicate field `payload`")
    );
    assert!(refusal(&text.replace("\"keyid\"", "\"x\":1,\"keyid\"")).contains("unknown field `x`"));
    assert!(refusal(&format!("{text}{{}}")).contains("trailing characters"));
    assert!(refusal("{}").contains("missing field"));
}

#[test]
fn every_other_base64_is_refused() {
    let envelope = sign(&review(), &key(CAROL)).unwrap();
    let standard = base64_of(envelope.payload());
    let text = text();
    let with = |payload: &str| refusal(&text.replace(&standard, payload));
    let not_base64 = "`payload` of the envelope is not standard base64";
    assert!(with(&format!("{standard}=")).contains(not_base64));
    assert!(with(&format!("{}\\n{}", &standard[..8], &standard[8..])).contains(not_base64));
    assert!(with(&format!(" {standard}")).contains(not_base64));
    // Without padding, and with stray bits under it.
    for odd in ["YQ", "YR==", "YWI", "-_8="] {
        assert!(with(odd).contains(not_base64), "{odd}");
    }
}

#[test]
fn signatures_are_one_to_sixteen_of_different_keys() {
    let keys: Vec<_> = (1..=17).map(key).collect();
    let some = |n: usize| sign_all(&keyring(), &keys[..n].iter().collect::<Vec<_>>());
    assert!(some(16).is_ok());
    assert!(some(17).unwrap_err().to_string().contains("17 signatures"));
    assert!(some(0).unwrap_err().to_string().contains("0 signatures"));
    let twice = sign_all(&keyring(), &[&keys[0], &keys[0]]).unwrap_err();
    assert!(twice.to_string().contains("two signatures of SHA256:"));
    assert!(
        refusal(&text().replace("SHA256:", "SHA256:x")).contains("`keyid` is not the fingerprint")
    );
}

#[test]
fn a_payload_beyond_its_size_is_refused() {
    let signature = crate::Sshsig::sign(&key(1), "n", b"m");
    let big = Envelope::assemble(
        "t".to_owned(),
        vec![b' '; POLICY_BYTES_MAX + 1],
        vec![signature.clone()],
    );
    assert!(matches!(big, Err(EnvelopeError::PayloadTooLarge(..))));
    let review_type = crate::payload_type::<crate::Review>();
    let big = Envelope::assemble(review_type, vec![b' '; PAYLOAD_BYTES_MAX + 1], vec![signature])
        .unwrap();
    let refused = crate::read_unverified::<crate::Review>(&big).unwrap_err().to_string();
    assert!(refused.contains("at most 65536"), "{refused}");
}

#[test]
fn a_program_makes_no_envelope_without_a_signature() {
    let kind = "application/vnd.borescope.review.v1+json".to_owned();
    let none = Envelope::assemble(kind, b"{}".to_vec(), vec![]).unwrap_err();
    assert!(none.to_string().contains("has 0 signatures"), "{none}");
}
