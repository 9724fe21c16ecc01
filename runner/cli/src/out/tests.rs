//! Output that programs and narrow terminals can read.

use super::*;

#[test]
fn long_text_breaks_between_words_and_is_indented() {
    let text = "one two three four five";
    assert_eq!(hang("- ", text, 9), ["- one two", "  three", "  four", "  five"]);
    assert_eq!(hang("", "short", 80), ["short"]);
    assert_eq!(hang("- ", "", 80), ["- "]);
}

#[test]
fn a_word_longer_than_the_line_stands_alone() {
    let digest = "sha256:0123456789";
    assert_eq!(hang("", &format!("is {digest} here"), 8), ["is", digest, "here"]);
}

#[test]
fn foreign_text_cannot_reach_the_terminal_as_an_escape() {
    assert_eq!(foreign("a\u{1b}[2Jb\u{202e}"), "a\\u{1b}[2Jb\\u{202e}");
}

#[test]
fn without_colour_text_stays_as_it_is() {
    assert_eq!(Out::plain().style(Style::Bad, "no"), "no");
    assert_eq!(safe::line(&paint(true, Style::Bad, "no"), true), "\u{1b}[31mno\u{1b}[0m");
}

#[test]
fn a_style_takes_no_room_and_goes_on_in_the_next_line() {
    let text = paint(true, Style::Warn, "one two three");
    let lines = hang("> ", &text, 9);
    let shown: Vec<String> = lines.iter().map(|l| safe::line(l, true)).collect();
    assert_eq!(shown, ["> \u{1b}[33mone two\u{1b}[0m", "  \u{1b}[33mthree\u{1b}[0m"]);
}
