//! Paths in a command that people paste.

use super::*;

#[test]
fn a_path_with_blanks_or_quotes_stays_one_word() {
    assert_eq!(quoted(Path::new("proof/rev_1.pae")), "proof/rev_1.pae");
    assert_eq!(quoted(Path::new("my proof")), "'my proof'");
    assert_eq!(quoted(Path::new("it's; rm")), "'it'\\''s; rm'");
}
