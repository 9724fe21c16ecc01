//! Tricks that have fooled reviewers of other tools.

use super::{neutralise, neutralise_block};

#[test]
fn an_escape_sequence_cannot_repaint_the_terminal() {
    assert_eq!(neutralise("ok\u{1b}[2Jrm"), "ok\\u{1b}[2Jrm");
}

#[test]
fn bidi_and_zero_width_characters_become_visible() {
    assert_eq!(neutralise("a\u{202e}b\u{200b}c"), "a\\u{202e}b\\u{200b}c");
}

#[test]
fn a_cell_cannot_fake_a_new_row() {
    assert_eq!(neutralise("x\n| paid |"), "x\\n| paid |");
    assert_eq!(neutralise_block("x\ny"), "x\ny");
}

#[test]
fn ordinary_text_of_other_scripts_stays() {
    assert_eq!(neutralise("Grüße 東京 🛒"), "Grüße 東京 🛒");
}
