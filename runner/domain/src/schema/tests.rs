//! Schemas that would make review or validation unsafe, and inputs that two parsers read differently.

use super::{InputSchema, parse_json};

const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"required":["since"],
    "properties":{"since":{"type":"string","format":"date-time"},"n":{"type":"integer","minimum":1,"maximum":5},
    "code":{"type":"string","pattern":"^(a+)+$","maxLength":64}}}"#;

#[test]
fn input_is_accepted_or_refused_with_its_place() {
    let schema = InputSchema::parse(SCHEMA.as_bytes()).unwrap();
    assert!(schema.validate(br#"{"since":"2026-11-23T20:00:00Z","n":5}"#).is_ok());
    for (input, place) in [
        (r#"{}"#, "/"),
        (r#"{"since":"yesterday"}"#, "/since"),
        (r#"{"since":"2026-11-23T20:00:00Z","n":6}"#, "/n"),
        (r#"{"since":"2026-11-23T20:00:00Z","x":1}"#, "/"),
    ] {
        let told = schema.validate(input.as_bytes()).unwrap_err().to_string();
        assert!(told.contains(&format!("at {place}: ")), "{input}: {told}");
    }
}

#[test]
fn a_catastrophic_pattern_is_linear_here() {
    let schema = InputSchema::parse(SCHEMA.as_bytes()).unwrap();
    let evil = format!(r#"{{"since":"2026-11-23T20:00:00Z","code":"{}!"}}"#, "a".repeat(60));
    assert!(schema.validate(evil.as_bytes()).is_err());
}

#[test]
fn what_is_outside_the_subset_is_refused_by_name() {
    for (schema, word) in [
        (r#"{"$ref":"http://example.com/x"}"#, "$ref"),
        (r#"{"type":"object"}"#, "additionalProperties"),
        (r#"{"type":"object","additionalProperties":true}"#, "additionalProperties"),
        (r#"{"type":"array"}"#, "items"),
        (r#"{"type":"string","format":"regex"}"#, "date-time"),
        (r#"{"type":"string","pattern":"(?=a)b"}"#, "pattern"),
        (r#"{"type":["string","null"]}"#, "one type"),
        (r#"{"title":"anything goes"}"#, "type"),
        (
            r#"{"type":"object","additionalProperties":false,"properties":{"a":{"oneOf":[]}}}"#,
            "oneOf",
        ),
    ] {
        let told = InputSchema::parse(schema.as_bytes()).unwrap_err().to_string();
        assert!(told.contains(word), "{schema}: {told}");
    }
}

#[test]
fn a_key_twice_is_refused_at_any_depth() {
    assert!(parse_json(br#"{"a":1,"a":2}"#).is_err());
    assert!(parse_json(br#"{"x":[{"a":1,"\u0061":2}]}"#).is_err());
    assert!(parse_json(br#"{"a":1} x"#).is_err());
    assert!(parse_json(br#"{"a":{"a":1}}"#).is_ok());
}

#[test]
fn a_schema_that_would_cost_gigabytes_to_compile_is_refused() {
    let pattern = |p: &str| format!(r#"{{"type":"string","pattern":"{p}"}}"#);
    assert!(InputSchema::parse(pattern(r"(\\w{200}){200}").as_bytes()).is_err());
    assert!(InputSchema::parse(pattern(&"a".repeat(300)).as_bytes()).is_err());
    let many: Vec<String> = (0..40).map(|i| format!(r#""p{i}":{}"#, pattern("^a$"))).collect();
    let many = format!(
        r#"{{"type":"object","additionalProperties":false,"properties":{{{}}}}}"#,
        many.join(",")
    );
    assert!(InputSchema::parse(many.as_bytes()).is_err());
}

#[test]
fn an_older_draft_cannot_switch_off_what_the_reviewer_reads() {
    let old =
        r#"{"$schema":"http://json-schema.org/draft-04/schema#","type":"string","const":"EU"}"#;
    assert!(InputSchema::parse(old.as_bytes()).is_err());
    let schema = InputSchema::parse(br#"{"type":"string","const":"EU"}"#).unwrap();
    assert!(schema.validate(br#""US""#).is_err());
}
