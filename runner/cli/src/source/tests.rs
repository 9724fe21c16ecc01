//! Archives that would show a reviewer another source than somebody else unpacks.

use super::*;

/// A header as `tar` writes it, with what a test changes before the checksum is made.
fn header(name: &str, size: usize, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut h = vec![0; BLOCK];
    h[..name.len()].copy_from_slice(name.as_bytes());
    h[100..108].copy_from_slice(b"0000644\0");
    h[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    h[156] = b'0';
    h[257..265].copy_from_slice(b"ustar\x0000");
    change(&mut h);
    h[148..156].fill(b' ');
    let sum: usize = h.iter().map(|b| usize::from(*b)).sum();
    h[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    h
}

fn entry(name: &str, content: &str) -> Vec<u8> {
    let mut all = header(name, content.len(), |_| {});
    all.extend(content.as_bytes());
    all.resize(all.len().next_multiple_of(BLOCK), 0);
    all
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 2 * BLOCK]].concat()
}

fn refused(entries: &[Vec<u8>]) -> String {
    parse(&archive(entries)).unwrap_err().to_string()
}

#[test]
fn plain_files_are_read() {
    let folder = header("./src/", 0, |h| h[156] = b'5');
    let read =
        parse(&archive(&[entry("Cargo.toml", "[package]\n"), folder, entry("./src/lib.rs", "")]));
    let read = read.unwrap();
    let files: Vec<(&str, &[u8])> = read.iter().map(|(p, b)| (p.as_str(), b.as_slice())).collect();
    assert_eq!(files, [("Cargo.toml", b"[package]\n".as_slice()), ("src/lib.rs", b"")]);
    let long = header("lib.rs", 0, |h| h[345..348].copy_from_slice(b"a/b"));
    assert!(parse(&archive(&[long])).unwrap().contains_key("a/b/lib.rs"));
}

#[test]
fn a_path_leads_nowhere_else() {
    for path in ["../x", "/etc/passwd", "a/../../x", "a//b", "a/./b", "a\\b", "a b", "", "c:x", "ä"]
    {
        let told = refused(&[entry(path, "x")]);
        assert!(told.contains("is not a path of plain segments"), "{path}: {told}");
    }
    let told = refused(&[entry("a\u{1b}[8m.rs", "x")]);
    assert!(told.contains("\\u{1b}[8m"), "{told}");
}

#[test]
fn what_another_program_could_read_differently_is_refused() {
    for kind in [b'1', b'2', b'3', b'6', b'7', b'L', b'K', b'x', b'g', b'S'] {
        let told = refused(&[header("a", 0, |h| h[156] = kind)]);
        assert!(told.contains("neither a file nor a folder"), "{told}");
    }
    let link = header("a", 0, |h| h[157] = b'b');
    assert!(refused(&[link]).contains("more than a plain file's has"));
    let hidden = header("a", 0, |h| h[50] = b'b');
    assert!(refused(&[hidden]).contains("behind a name's end"));
    assert!(refused(&[entry("a", "1"), entry("a", "2")]).contains("a is in it twice"));
    assert!(refused(&[entry("a", "1"), entry("./a", "2")]).contains("a is in it twice"));
    assert!(refused(&[entry("A", "1"), entry("a", "2")]).contains("letters have no case"));
    assert!(refused(&[entry("a", "1"), entry("A/b", "2")]).contains("is a file, and A/b"));
    let old = header("a", 0, |h| h[257..265].fill(0));
    assert!(refused(&[old]).contains("not of the form ustar"));
}

#[test]
fn nothing_hides_between_or_behind_the_files() {
    let mut padded = entry("a", "x");
    padded[BLOCK + 100] = b'y';
    assert!(refused(&[padded]).contains("between two files"));
    let behind = [archive(&[entry("a", "x")]), entry("b", "y")].concat();
    assert!(parse(&behind).unwrap_err().to_string().contains("behind its end"));
    let whole = archive(&[entry("a", "x")]);
    assert!(parse(&whole[..whole.len() - BLOCK]).is_err(), "one block is no end");
    assert!(parse(&whole[..BLOCK + 3]).is_err() && parse(b"").is_err());
    let huge = header("a", 0, |h| h[124..136].copy_from_slice(b"77777777777\0"));
    assert!(refused(&[huge]).contains("longer than the archive"));
    let mut broken = entry("a", "x");
    broken[0] = b'b';
    assert!(refused(&[broken]).contains("checksum"));
}
