//! What a terminal is sent, byte for byte.

use domain::display::is_hidden;
use serde::Serialize as _;
use serde_json::value::RawValue;

use super::*;

const TRICK: &str = "ok\u{1b}[2J\u{9b}1A\r\n\u{202e}\u{200b}";

#[test]
fn one_line_stays_one_line_whatever_is_in_it() {
    assert_eq!(line(TRICK, false), "ok\\u{1b}[2J\\u{9b}1A\\u{d}\\n\\u{202e}\\u{200b}");
}

#[test]
fn our_colours_are_the_only_escape_sequences_and_are_closed() {
    let text = format!("a {} b", marked(3, TRICK));
    let shown = line(&text, true);
    assert!(shown.starts_with("a \u{1b}[31mok\\u{1b}[2J") && shown.ends_with("\u{1b}[0m b"));
    let ours = shown.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
    assert!(!ours.chars().any(is_hidden), "{ours}");
    let open = text.split_once('\r').unwrap().0;
    assert!(line(open, true).ends_with("\u{1b}[0m"));
    // Where no colours are wanted, a marker is a character like others.
    assert_eq!(line("\u{f0001}x", false), "\\u{f0001}x");
}

#[test]
fn json_is_the_same_value_without_a_hidden_character() {
    #[derive(serde::Serialize)]
    struct Answer {
        text: &'static str,
        document: Box<RawValue>,
    }
    let raw = format!("{{\n  \"a\u{202e}\": {}\n}}", serde_json::to_string(TRICK).unwrap());
    let answer = Answer { text: TRICK, document: RawValue::from_string(raw.clone()).unwrap() };
    let mut bytes = Vec::new();
    answer.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Escaping)).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.chars().any(is_hidden), "{text}");
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["text"], TRICK);
    assert_eq!(read["document"], serde_json::from_str::<serde_json::Value>(&raw).unwrap());
}
