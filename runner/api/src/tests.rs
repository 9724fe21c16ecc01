//! Codes, problems and envelopes as they cross the wire.

use std::collections::BTreeSet;

use domain::{Denial, Rule};

use crate::types::RunOrdered;
use crate::{Code, Problem};

#[test]
fn every_code_is_kebab_case_unique_and_comes_back() {
    let mut seen = BTreeSet::new();
    for &code in Code::ALL {
        let text = code.code();
        assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{text}");
        assert!(seen.insert(text), "{text} twice");
        assert_eq!(text.parse::<Code>(), Ok(code));
        assert_eq!(serde_json::to_value(code).unwrap(), text);
        assert_eq!(serde_json::from_value::<Code>(text.into()).unwrap(), code);
        assert!((400..=599).contains(&code.status()), "{text}");
        assert!(!code.title().is_empty(), "{text}");
    }
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
fn a_denial_has_the_code_of_its_rule() {
    // Serde's own list of variants, so that the test cannot forget a rule.
    let listed = serde_json::from_str::<Rule>("\"no-such-rule\"").unwrap_err().to_string();
    let rules: Vec<&str> = listed.split('`').skip(3).step_by(2).collect();
    assert!(rules.len() > 17, "{listed}");
    for name in rules {
        let rule: Rule = serde_json::from_value(name.into()).unwrap();
        assert_eq!((rule.code(), Code::from(rule).code()), (name, name));
    }
}

#[test]
fn the_shapes_of_ids_accept_what_their_types_make() {
    use std::str::FromStr as _;
    // The same text through the type's own parser and through the documented pattern's example.
    let parses = |name: &str, text: &str| match name {
        "Sha256" => domain::Digest::from_str(text).is_ok(),
        "Person" => domain::PersonId::from_str(text).is_ok(),
        "Script" => domain::ScriptName::from_str(text).is_ok(),
        "Version" => domain::ScriptVersion::from_str(text).is_ok(),
        "Target" => domain::TargetId::from_str(text).is_ok(),
        "Path" => domain::BundlePath::from_str(text).is_ok(),
        "Session" => domain::SessionId::from_str(text).is_ok(),
        "AccessRequest" => domain::RequestId::from_str(text).is_ok(),
        "Run" => domain::RunId::from_str(text).is_ok(),
        "Receipt" => domain::ReceiptId::from_str(text).is_ok(),
        "Reference" => true,
        other => panic!("no parser is named for {other}"),
    };
    for (name, pattern, example) in crate::shapes::EXAMPLES {
        assert!(parses(name, example), "{name}: {example}");
        assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{name} is anchored");
    }
}
