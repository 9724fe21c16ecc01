//! Tricks that have fooled reviewers of other tools.

use unicode_width::UnicodeWidthChar as _;

use super::*;

#[test]
fn an_escape_sequence_cannot_repaint_the_terminal() {
    assert_eq!(neutralise("ok\u{1b}[2Jrm"), "ok\\u{1b}[2Jrm");
    // The same without ESC, and the cursor moved without either.
    assert_eq!(neutralise("ok\u{9b}2Jrm"), "ok\\u{9b}2Jrm");
    assert_eq!(neutralise("no\rok"), "no\\u{d}ok");
    assert_eq!(neutralise("no\u{8}\u{8}ok\0\u{7f}"), "no\\u{8}\\u{8}ok\\u{0}\\u{7f}");
}

#[test]
fn bidi_and_zero_width_characters_become_visible() {
    assert_eq!(neutralise("a\u{202e}b\u{200b}c"), "a\\u{202e}b\\u{200b}c");
    assert_eq!(neutralise("a\u{2067}b\u{e0041}c\u{2800}"), "a\\u{2067}b\\u{e0041}c\\u{2800}");
}

#[test]
fn a_cell_cannot_fake_a_new_row() {
    assert_eq!(neutralise("x\n| paid |"), "x\\n| paid |");
    assert_eq!(neutralise("x\u{2028}| paid |"), "x\\u{2028}| paid |");
    assert_eq!(neutralise_block("x\ny\u{85}z"), "x\ny\\u{85}z");
}

#[test]
fn ordinary_text_of_other_scripts_stays() {
    for text in ["Grüße 東京 🛒", "Tiếng Việt: ệ", "שָׁלוֹם", "नमस्ते", "سلام", "กำลัง", "e\u{301}t\u{e9}"]
    {
        assert_eq!(neutralise(text), text);
    }
}

#[test]
fn marks_do_not_pile_up_nor_stand_on_our_own_text() {
    let tower = format!("Z{}", "\u{351}".repeat(6));
    assert_eq!(neutralise(&tower), format!("Z{}\\u{{351}}\\u{{351}}", "\u{351}".repeat(4)));
    assert_eq!(neutralise("\u{338}ok"), "\\u{338}ok");
    assert_eq!(neutralise("a \u{338}b"), "a \\u{338}b");
    assert_eq!(neutralise("\u{1b}\u{338}"), "\\u{1b}\\u{338}");
    assert_eq!(neutralise_block("a\n\u{338}b"), "a\n\\u{338}b");
}

#[test]
fn json_means_the_same_and_stays_on_one_line() {
    let text = "a\u{1b}[2J\u{9b}\u{7f}\u{202e}\u{e0041}\u{10ffff}\u{feff}Z\u{351}\u{351}\u{351}\u{351}\u{351}ü";
    let json = serde_json::to_string_pretty(&[text]).unwrap();
    let safe = neutralise_json(&json);
    assert!(!safe.chars().any(is_hidden), "{safe}");
    let read: Vec<String> = serde_json::from_str(&safe).unwrap();
    assert_eq!(read, [text]);
}

#[test]
fn what_is_cut_is_said() {
    assert_eq!(shorten("äöü", 3), "äöü");
    assert_eq!(shorten("äöüß", 3), "äöü… (+1 characters)");
}

/// Unicode 15's categories Cc, Cf, Zl, Zp and Co, as another program has them.
const UNPRINTABLE: &[(u32, u32)] = &[
    (0x0000, 0x001f),
    (0x007f, 0x009f),
    (0x00ad, 0x00ad),
    (0x0600, 0x0605),
    (0x061c, 0x061c),
    (0x06dd, 0x06dd),
    (0x070f, 0x070f),
    (0x0890, 0x0891),
    (0x08e2, 0x08e2),
    (0x180e, 0x180e),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x2064),
    (0x2066, 0x206f),
    (0xe000, 0xf8ff),
    (0xfeff, 0xfeff),
    (0xfff9, 0xfffb),
    (0x110bd, 0x110bd),
    (0x110cd, 0x110cd),
    (0x13430, 0x13438),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0001, 0xe0001),
    (0xe0020, 0xe007f),
    (0xf0000, 0xffffd),
    (0x100000, 0x10fffd),
];

#[test]
fn whatever_cannot_be_printed_is_hidden_and_whatever_has_no_width_is_counted() {
    // Signs that are drawn, although they are format characters.
    let drawn = |n: u32| matches!(n, 0x600..=0x605 | 0x6dd | 0x890 | 0x891 | 0x8e2);
    for n in UNPRINTABLE.iter().flat_map(|(from, to)| *from..=*to).filter(|n| !drawn(*n)) {
        assert!(is_hidden(char::from_u32(n).unwrap()), "{n:04x}");
    }
    for c in (0..=0x10_ffff).filter_map(char::from_u32) {
        if c.width() == Some(0) && !is_hidden(c) {
            let tower: String = std::iter::once('x').chain([c; 9]).collect();
            assert_eq!(neutralise(&tower).matches(c).count(), MARKS_MAX, "{:04x}", u32::from(c));
        }
        let once = neutralise(&c.to_string());
        assert_eq!(neutralise(&once), once);
        assert!(!once.chars().any(is_hidden));
    }
}

#[test]
fn what_is_quoted_for_toml_shows_everything_and_loses_nothing() {
    let text = "a \"b\" \\ c\n\td\u{1b}[31m\u{202e}e\u{200b}f";
    let quoted = quoted_toml(text);
    assert_eq!(neutralise(&quoted), quoted, "nothing is left to neutralise");
    assert_eq!(quoted, "\"a \\\"b\\\" \\\\ c\\n\\td\\U0000001B[31m\\U0000202Ee\\U0000200Bf\"");
}
