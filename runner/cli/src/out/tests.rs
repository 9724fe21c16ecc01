//! Output that programs and narrow terminals can read.

use super::*;

#[test]
fn long_text_breaks_between_words_and_is_indented() {
    let text = "one two three four five";
    assert_eq!(wrap(text, 9, 2), "one two\n  three\n  four\n  five");
    assert_eq!(wrap("short", 80, 4), "short");
}

#[test]
fn a_word_longer_than_the_line_stands_alone() {
    let digest = "sha256:0123456789";
    assert_eq!(wrap(&format!("is {digest} here"), 8, 0), format!("is\n{digest}\nhere"));
}

#[test]
fn foreign_text_cannot_reach_the_terminal_as_an_escape() {
    assert_eq!(foreign("a\u{1b}[2Jb\u{202e}"), "a\\u{1b}[2Jb\\u{202e}");
}

#[test]
fn without_colour_text_stays_as_it_is() {
    assert_eq!(Out::plain().style(Style::Bad, "no"), "no");
    assert_eq!(paint(true, Style::Bad, "no"), "\u{1b}[31mno\u{1b}[0m");
}
