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
    let cases = [("\"owner\":null", "\"owner\":1", "field `owner`", "only null is accepted")];
    for (from, to, field, what) in cases {
        let said = altered(&submission(), from, to);
        assert!(said.starts_with(&format!("submission: {field}")), "{said}");
        assert!(said.contains("not supported yet") && said.contains(what), "{said}");
    }
}

#[test]
fn an_analysis_is_of_a_pair_of_the_ceiling_and_of_each_once() {
    let mut twice = review();
    twice.analysis.push(twice.analysis[0].clone());
    let said = crate::payload(&twice).unwrap_err().to_string();
    assert!(said.contains("field `analysis.1`: orders=shop is listed twice"), "{said}");
    let mut stray = review();
    stray.analysis[0].target = t("till");
    let said = crate::payload(&stray).unwrap_err().to_string();
    assert!(said.contains("field `analysis.0`: orders=till is not in the ceiling"), "{said}");
}

#[test]
fn a_raw_column_is_named_once_and_with_its_table() {
    let said = |to: &str| altered(&review(), "\"unmasked\":[]", to);
    let twice = said("\"unmasked\":[\"a.b\",\"a.b\"]");
    assert!(twice.contains("field `ceiling`: the column a.b is listed twice"), "{twice}");
    let bare = said("\"unmasked\":[\"email\"]");
    assert!(bare.contains("\"email\" is no column"), "{bare}");
}

#[test]
fn whoever_wants_raw_values_says_why() {
    let mut request = access_request();
    request.scope.targets[0].unmasked = vec!["a.b".parse().unwrap()];
    crate::payload(&request).unwrap();
    request.reason = " ".parse().unwrap();
    let said = crate::payload(&request).unwrap_err().to_string();
    assert!(said.contains("columns are to be read without their masks; say why"), "{said}");
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
    assert!(said.contains("is no review id"), "{said}");
}

/// What keeps a document from being signed, after a change.
fn unsigned<D: Document>(mut doc: D, change: impl FnOnce(&mut D)) -> String {
    change(&mut doc);
    payload(&doc).unwrap_err().to_string()
}

#[test]
fn a_keyring_that_contradicts_itself_is_never_signed() {
    use crate::documents::Role;
    let said = [
        unsigned(keyring(), |k| k.version = 0),
        unsigned(keyring(), |k| k.version = 2),
        unsigned(keyring(), |k| k.previous = Some(Digest::of(b"x"))),
        unsigned(keyring(), |k| k.keys.push(k.keys[0].clone())),
        unsigned(keyring(), |k| k.roles[0].threshold = 0),
        unsigned(keyring(), |k| k.roles[0].threshold = 3),
        unsigned(keyring(), |k| k.roles[0].people = vec![t("ruth"), t("ruth")]),
        unsigned(keyring(), |k| k.roles[0].people.push(t("nobody"))),
        unsigned(keyring(), |k| k.roles.push(k.roles[1].clone())),
        unsigned(keyring(), |k| k.roles.retain(|r| r.role != Role::Policy)),
    ];
    expect_test::expect![[r#"
        keyring: field `version`: is 0; versions count from 1
        keyring: field `previous`: is null for version 1 and a digest for every other
        keyring: field `previous`: is null for version 1 and a digest for every other
        keyring: field `keys.3`: the key is listed twice
        keyring: field `roles.0`: the threshold is 0 or more than its people
        keyring: field `roles.0`: the threshold is 0 or more than its people
        keyring: field `roles.0`: a person is listed twice
        keyring: field `roles.0`: nobody has no key in `keys`
        keyring: field `roles.6`: the role `directory` is listed twice
        keyring: field `roles`: the role `policy` is missing"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn a_directory_that_contradicts_itself_is_never_signed() {
    let said = [
        unsigned(directory(), |d| d.people.push(d.people[0].clone())),
        unsigned(directory(), |d| d.people[0].owner = Some(t("otto"))),
        unsigned(directory(), |d| d.people[4].owner = None),
        unsigned(directory(), |d| d.people[4].owner = Some(t("bot"))),
        unsigned(directory(), |d| d.people[4].owner = Some(t("nobody"))),
        unsigned(directory(), |d| d.people[0].keys = d.people[1].keys.clone()),
    ];
    expect_test::expect![[r#"
        directory: field `people.5.id`: anna is listed twice
        directory: field `people.0.owner`: a human has no owner; write null
        directory: field `people.4.owner`: a service or agent names the human who answers for it
        directory: field `people.4.owner`: bot is no human in this directory
        directory: field `people.4.owner`: nobody is no human in this directory
        directory: field `people.1.keys.0`: anna has this key already"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn a_policy_that_contradicts_itself_is_never_signed() {
    let said = [
        unsigned(policy(), |p| p.targets.push(p.targets[0].clone())),
        unsigned(policy(), |p| p.runners.push(p.runners[0].clone())),
        unsigned(policy(), |p| {
            let second = crate::PolicyRunner { name: t("second"), ..p.runners[0].clone() };
            p.runners.push(second);
        }),
        unsigned(policy(), |p| p.targets[0].runners = vec![t("elsewhere")]),
        unsigned(policy(), |p| p.targets[0].engine = domain::manifest::Engine::Postgres),
        unsigned(policy(), |p| p.targets[0].reviews.from_each = vec![t("ops")]),
    ];
    for (said, what) in said.iter().zip([
        "shop is listed twice",
        "local is listed twice",
        "is listed twice",
        "elsewhere is not in `runners`",
        "is of sqlite, and `engine` is postgres",
        "ops is not in `groups`",
    ]) {
        assert!(said.starts_with("policy: ") && said.contains(what), "{said}");
    }
}

#[test]
fn a_statement_that_asks_for_nothing_or_too_much_is_never_signed() {
    use crate::documents::{Receipt, Status};
    let backwards = |r: &mut crate::AccessRequest| {
        (r.window.not_before, r.window.not_after) = (at(1), at(0));
    };
    let said = [
        unsigned(access_request(), |r| r.scope.targets.clear()),
        unsigned(access_request(), backwards),
        unsigned(access_request(), |r| r.duration_s = 0),
        unsigned(status(), |s: &mut Status| s.header.not_after = s.header.not_before.plus_s(601)),
        unsigned(receipt(), |r: &mut Receipt| r.outcome = domain::Outcome::Denied),
        unsigned(review(), |r| r.ceiling.targets.push(r.ceiling.targets[0].clone())),
        unsigned(stop(), |s| {
            s.subject = domain::decide::StopSubject::Key("SHA256:short".to_owned());
        }),
    ];
    expect_test::expect![[r#"
        access-request: field `scope.targets`: is empty; name the targets to run on
        access-request: field `window.not_before`: is after window.not_after
        access-request: field `duration_s`: is 0; ask for at least one second
        status: field `header.not_after`: is more than 600 s after not_before
        receipt: field `denial`: is there exactly when the outcome is `denied`
        review: field `ceiling`: the pair orders=shop is listed twice; list its queries in one entry
        stop: field `subject.value`: is no fingerprint as `ssh-keygen -l` prints it, SHA256:…"#]]
    .assert_eq(&said.join("\n"));
}
