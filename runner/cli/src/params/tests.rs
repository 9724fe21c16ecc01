//! Options made of schemas, and what is typed for them.

use std::ffi::OsString;

use super::*;

const SCHEMA: &str = r#"{
  "type": "object", "additionalProperties": false, "required": ["since", "kind"],
  "properties": {
    "since": {"type": "string", "format": "date-time", "pattern": "Z$", "description": "From then."},
    "kind": {"type": "string", "enum": ["late", "lost"]},
    "samples": {"type": "integer", "minimum": 0, "maximum": 8, "default": 3},
    "min_share": {"type": "number"},
    "full": {"type": "boolean"},
    "country": {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{2}$"}, "maxItems": 2},
    "reason": {"type": "string"},
    "where": {"type": "object", "additionalProperties": false, "properties": {"a": {"type": "integer"}}},
    "odd name": {"type": "string"}
  }
}"#;

fn params(schema: &str) -> Params {
    let taken = BTreeSet::from(["reason".to_owned()]);
    Params::of(&"s".parse().unwrap(), Some(schema.as_bytes()), &taken).unwrap()
}

fn typed(schema: &str, line: &[&str]) -> Result<Input, String> {
    let here = Here { now: "2026-11-28T03:00:00Z".parse().unwrap(), zone: TimeZone::UTC };
    let params = params(schema);
    let input = Arg::new("input").long("input").num_args(1);
    let command = clap::Command::new("s").no_binary_name(true).arg(input);
    let words = line.iter().map(OsString::from);
    let matches = command.args(params.options(&here)).try_get_matches_from(words);
    params.input(&matches.map_err(|e| e.to_string())?).map_err(|e| e.to_string())
}

fn json(line: &[&str]) -> String {
    String::from_utf8(typed(SCHEMA, line).unwrap().bytes).unwrap()
}

fn error(line: &[&str]) -> String {
    typed(SCHEMA, line).unwrap_err()
}

#[test]
fn what_is_typed_becomes_the_input_with_its_defaults_in_one_order() {
    assert_eq!(
        json(&["--since", "2h", "--kind", "lost"]),
        r#"{"kind":"lost","samples":3,"since":"2026-11-28T01:00:00Z"}"#
    );
    let all = [
        "--kind=late",
        "--min-share",
        "-0.5",
        "--full",
        "--country",
        "DE",
        "--country",
        "FR",
        "--since",
        "now",
        "--input-reason",
        "x",
        "--where",
        r#"{"a":1}"#,
        "--samples",
        "0",
    ];
    assert_eq!(
        json(&all),
        r#"{"country":["DE","FR"],"full":true,"kind":"late","min_share":-0.5,"reason":"x","samples":0,"since":"2026-11-28T03:00:00Z","where":{"a":1}}"#
    );
    assert!(
        json(&["--since", "now", "--kind", "late", "--full=false"]).contains(r#""full":false"#)
    );
}

#[test]
fn times_are_told_as_they_were_resolved() {
    let input = typed(SCHEMA, &["--since", "yesterday 22:00", "--kind", "late"]).unwrap();
    assert_eq!(input.times, [("since".to_owned(), "2026-11-27T22:00:00Z".parse().unwrap())]);
}

#[test]
fn a_mistake_is_told_with_the_name_of_its_option() {
    let since = ["--since", "now"];
    let with = |more: &[&str]| error(&[&since[..], &["--kind", "late"], more].concat());
    assert!(error(&since).contains("--kind"), "{}", error(&since));
    assert!(error(&["--since", "2 hours", "--kind", "late"]).contains("--since <TIME>"));
    let told = error(&["--since", "now", "--kind", "stolen"]);
    assert!(told.contains("--kind") && told.contains("late, lost"), "{told}");
    for (wrong, flag) in [
        (&["--samples", "9"][..], "--samples <N>"),
        (&["--samples", "many"], "a whole number"),
        (&["--samples", "1.5"], "--samples <N>"),
        (&["--country", "germany"], "--country <TEXT>"),
        (&["--country", "DE", "--country", "FR", "--country", "IT"], "--country: "),
        (&["--where", r#"{"b":1}"#], "--where <JSON>"),
        (&["--where", "{"], "expected JSON"),
        (&["--sample", "3"], "--samples"),
        (&["--full=maybe"], "true or false"),
    ] {
        let told = with(wrong);
        assert!(told.contains(flag), "{wrong:?}: {told}");
    }
}

#[test]
fn a_file_is_instead_of_options_and_asks_for_none() {
    assert!(typed(SCHEMA, &["--input", "x", "--since", "now"]).is_err());
    let here = Here { now: "2026-11-28T03:00:00Z".parse().unwrap(), zone: TimeZone::UTC };
    let options = params(SCHEMA).options(&here);
    let command = clap::Command::new("s").arg(Arg::new("input").long("input").num_args(1));
    assert!(command.args(options).try_get_matches_from(["s", "--input", "x"]).is_ok());
}

#[test]
fn the_authors_words_can_neither_draw_nor_begin_a_line() {
    let schema = r#"{"type": "object", "additionalProperties": false, "properties": {
        "a": {"type": "string", "description": "x\u001b[2J{n}forged\nline", "default": "\u202e"},
        "b_c": {"type": "string"}, "b-c": {"type": "string"}}}"#;
    let here = Here { now: "2026-11-28T03:00:00Z".parse().unwrap(), zone: TimeZone::UTC };
    let params = params(schema);
    // Two properties cannot share an option.
    assert!(params.remark().unwrap().ends_with("FILE: b_c"), "{:?}", params.remark());
    let input = Arg::new("input").long("input");
    let mut command = clap::Command::new("s").arg(input).args(params.options(&here));
    let help = command.render_long_help().to_string();
    assert!(help.contains("x\\u{1b}[2J{ n }forged\\nline"), "{help}");
    assert!(!help.contains('\u{202e}') && !help.contains('\u{1b}'), "{help}");
}
