//! One text per document: whatever is not exactly it is refused, with document and field named.

use domain::Digest;

use super::*;
use crate::documents::Review;
use crate::testing::*;

fn json<D: Document>(doc: &D) -> String {
    String::from_utf8(payload(doc).unwrap()).unwrap()
}

fn refusal<D: Document>(text: &str) -> String {
    read_payload::<D>(text.as_bytes()).unwrap_err().to_string()
}

fn altered<D: Document>(doc: &D, from: &str, to: &str) -> String {
    let text = json(doc);
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    refusal::<D>(&text.replace(from, to))
}

#[test]
fn a_later_feature_is_refused_by_name() {
    let cases = [
        ("\"analysis\":null", "\"analysis\":1", "field `analysis`", "only null is accepted"),
        ("\"not-tried\"", "\"matched\"", "field `rebuilt`", "only \"not-tried\" is accepted"),
        ("\"unmasked\":[]", "\"unmasked\":[\"a.b\"]", "field `ceiling`", "only the empty list"),
    ];
    for (from, to, field, what) in cases {
        let said = altered(&review(), from, to);
        assert!(said.starts_with(&format!("review: {field}")), "{said}");
        assert!(said.contains("not supported yet") && said.contains(what), "{said}");
    }
}

/// Removes each top-level field in turn, also those that may be null.
fn every_field<D: Document>(doc: &D) {
    let value: serde_json::Value = serde_json::from_str(&json(doc)).unwrap();
    for name in value.as_object().unwrap().keys() {
        let mut less = value.clone();
        less.as_object_mut().unwrap().remove(name);
        let said = refusal::<D>(&less.to_string());
        assert!(said.contains(&format!("missing field `{name}`")), "{said}");
    }
}

#[test]
fn every_field_has_to_be_written() {
    every_field(&keyring());
    every_field(&directory());
    every_field(&policy());
    every_field(&submission());
    every_field(&review());
    every_field(&access_request());
    every_field(&approval());
    every_field(&run_request());
    every_field(&lift());
    every_field(&withdrawal());
    every_field(&status());
    every_field(&after_review());
    every_field(&key_claim());
    every_field(&stop());
    every_field(&receipt());
    every_field(&login());
}

#[test]
fn unknown_double_and_oversized_fields_are_named() {
    let said = altered(&review(), "\"comment\":", "\"more\":1,\"comment\":");
    assert!(said.contains("unknown field `more`"), "{said}");
    let said = altered(&review(), "\"comment\":", "\"verdict\":\"reject\",\"comment\":");
    assert!(said.contains("field `verdict`: the field is there twice"), "{said}");
    let said = altered(&review(), "\"comment\":", "\"\\u0076erdict\":\"reject\",\"comment\":");
    assert!(said.contains("field `verdict`: the field is there twice"), "{said}");
    let said = altered(&review(), "\"fuel_max\":2000000000", "\"fuel_max\":9007199254740992");
    assert!(
        said.contains("field `ceiling.limits.fuel_max`: 9007199254740992 is too large"),
        "{said}"
    );
    let said = altered(&review(), "\"fuel_max\":2000000000", "\"fuel_max\":2e9");
    assert!(said.contains("field `ceiling.limits.fuel_max`"), "{said}");
    let said = altered(&review(), "\"fuel_max\":2000000000", "\"fuel_max\":-1");
    assert!(said.contains("field `ceiling.limits.fuel_max`"), "{said}");
}

#[test]
fn the_same_value_in_another_text_is_refused() {
    for (from, to) in [("\"verdict\":", "\"verdict\": "), ("\"approve\"", "\"\\u0061pprove\"")] {
        let said = altered(&review(), from, to);
        assert!(said.contains("not written in its one form"), "{said}");
    }
    let said = refusal::<Review>(&format!("{}\n", json(&review())));
    assert!(said.contains("not written in its one form"), "{said}");
    let said = refusal::<Review>(&format!("{}{{}}", json(&review())));
    assert!(said.contains("trailing characters"), "{said}");
    // A tagged value must not smuggle fields past a variant that has none.
    let digest = Digest::of(b"{}");
    let exact = format!("{{\"kind\":\"exact\",\"digest\":\"{digest}\"}}");
    let said = altered(&access_request(), &exact, &exact.replace("exact", "schema"));
    assert!(said.contains("access-request: "), "{said}");
}

#[test]
fn an_invalid_document_is_never_signed() {
    let mut swapped = review();
    swapped.header.not_before = at(7200);
    assert!(sign(&swapped, &key(CAROL)).unwrap_err().to_string().contains("header.not_before"));
    let mut free = access_request();
    free.uses = 0;
    assert!(sign(&free, &key(OTTO)).unwrap_err().to_string().contains("`uses`: is 0"));
    let mut huge = review();
    huge.ceiling.limits.fuel_max = 1 << 53;
    assert!(sign(&huge, &key(CAROL)).is_err());
    let mut blind = approval();
    blind.reviews.clear();
    assert!(sign(&blind, &key(RUTH)).is_err());
}

#[test]
fn a_clause_that_opens_nothing_or_too_much_is_never_signed() {
    let said = |change: fn(&mut Review)| {
        let mut doc = review();
        change(&mut doc);
        sign(&doc, &key(CAROL)).unwrap_err().to_string()
    };
    let said = [
        said(|r| r.self_serve[0].targets = vec![t("elsewhere")]),
        said(|r| r.self_serve[0].targets.clear()),
        said(|r| r.self_serve[0].groups.clear()),
        said(|r| r.self_serve[0].runs_per_day = 0),
        said(|r| r.verdict = domain::decide::Verdict::RequestChanges),
    ];
    expect_test::expect![[r#"
        review: field `self_serve.0.targets`: elsewhere is not in the ceiling
        review: field `self_serve.0.targets`: is empty; name targets of the ceiling
        review: field `self_serve.0.groups`: is empty; name the groups whose members may run it
        review: field `self_serve.0.runs_per_day`: is 0; leave the clause out
        review: field `self_serve`: is not empty, and the verdict is no approval"#]]
    .assert_eq(&said.join("\n"));
    let mut run = run_request();
    run.request = None;
    assert!(sign(&run, &key(OTTO)).unwrap_err().to_string().contains("`use_number`: is not 0"));
}

#[test]
fn a_wrong_id_names_its_field() {
    let said = altered(&review(), "\"rev_019", "\"run_019");
    assert!(said.starts_with("review: field `header.id`: "), "{said}");
    assert!(said.contains("is not a review id"), "{said}");
}
