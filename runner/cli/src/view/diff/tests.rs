//! What a reviewer sees of a change is all of it, and nothing that a terminal obeys.

use super::*;

fn told(old: &str, new: &str) -> String {
    of("src/lib.rs", Some(old.as_bytes()), Some(new.as_bytes()), Out::plain()).lines.join("\n")
}

#[test]
fn a_change_is_shown_with_its_surroundings() {
    let old = "a\nb\nc\nd\ne\nf\ng\nh\n";
    let told = told(old, &old.replace('e', "E"));
    assert_eq!(told, "src/lib.rs  +1 −1\n@@ -2,7 +2,7 @@\n  b\n  c\n  d\n- e\n+ E\n  f\n  g\n  h");
}

#[test]
fn a_new_and_a_removed_file_are_shown_whole() {
    let new = of("a", None, Some(b"x\ny\n"), Out::plain());
    assert_eq!((new.added, new.removed), (2, 0));
    assert_eq!(new.lines.join("\n"), "a  new, +2 −0\n@@ -0,0 +1,2 @@\n+ x\n+ y");
    let gone = of("a", Some(b"x\n"), None, Out::plain());
    assert_eq!((gone.added, gone.removed), (0, 1));
    assert!(gone.lines[0].contains("removed, +0 −1"), "{:?}", gone.lines);
    let binary = of("a", Some(b"x\0"), Some(b"y"), Out::plain());
    assert_eq!(binary.lines, ["a  no text, 2 B before, 1 B now"]);
}

#[test]
fn a_line_cannot_hide_itself_or_draw_over_others() {
    let told = told("a\n", "a // \u{1b}[8mhidden\rover\n\u{202e}b\n");
    assert!(told.contains("\\u{1b}[8mhidden"), "{told}");
    assert!(told.contains("\\u{d}") && told.contains("+ \\u{202e}b"), "{told}");
    assert!(!told.contains(['\u{1b}', '\r', '\u{202e}']), "{told}");
    let whole = whole("a\u{1b}[2J", b"x\x1b[2J\n", Out::plain()).join("\n");
    assert!(!whole.contains('\u{1b}') && whole.contains("│ x\\u{1b}[2J"), "{whole}");
}
