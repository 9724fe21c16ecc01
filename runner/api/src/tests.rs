//! Codes, problems and envelopes as they cross the wire.

use std::collections::BTreeSet;

use domain::{Denial, Rule};

use crate::types::RunOrdered;
use crate::{Code, Problem};

#[test]
fn every_code_is_kebab_case_unique_and_comes_back() {
    let mut seen = BTreeSet::new();
    for code in Code::all() {
        let text = code.code();
        assert!(
            text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{text}"
        );
        assert!(seen.insert(text), "{text} twice");
        assert_eq!(text.parse::<Code>(), Ok(code));
        assert_eq!(serde_json::to_value(code).unwrap(), text);
        assert_eq!(serde_json::from_value::<Code>(text.into()).unwrap(), code);
        assert!((400..=599).contains(&code.status()), "{text}");
        assert!(!code.title().is_empty(), "{text}");
    }
    assert_eq!(seen.len(), 32);
    assert!("teapot".parse::<Code>().is_err());
}

#[test]
fn a_denial_becomes_a_problem_with_the_rules_code() {
    let denial = Denial {
        rule: Rule::UseSpent,
        fact: "use 1 of 1 is spent".to_owned(),
        help: "file another access request".to_owned(),
    };
    let json = serde_json::to_string(&Problem::from(&denial)).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"type":"https://borescope.dev/problems/use-spent","title":"The run is denied","#,
            r#""status":403,"detail":"use 1 of 1 is spent","code":"use-spent","#,
            r#""help":"file another access request"}"#
        )
    );
    let back: Problem = serde_json::from_str(&json).unwrap();
    assert_eq!(back, Problem::from(&denial));
}

#[test]
fn an_envelope_keeps_its_exact_bytes_inside_a_body() {
    let envelope = r#"{ "payload" :"\u0041",  "signatures":[] }"#;
    let body = format!(r#"{{"run_request":{envelope}}}"#);
    let order: RunOrdered = serde_json::from_str(&body).unwrap();
    assert_eq!(order.run_request.get(), envelope);
    assert_eq!(serde_json::to_string(&order).unwrap(), body);
}

#[test]
fn a_rule_that_domain_adds_gets_a_code_here() {
    let error = serde_json::from_str::<Rule>("\"no-such-rule\"")
        .unwrap_err()
        .to_string();
    let known = error.matches('`').count() / 2 - 1;
    let denials = Code::all()
        .filter(|code| matches!(code, Code::Denied(_)))
        .count();
    assert_eq!(denials, known, "{error}");
}
