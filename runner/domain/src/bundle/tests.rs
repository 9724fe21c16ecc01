//! What an upload could try with names, lists and bytes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{BundleError, BundleIndex, BundlePath};
use crate::Digest;

fn files(paths: &[&str]) -> BTreeMap<BundlePath, Digest> {
    paths.iter().map(|p| (p.parse().unwrap(), Digest::of(p.as_bytes()))).collect()
}

const MINIMAL: &[&str] = &["component.wasm", "script.toml"];

#[test]
fn the_list_is_what_sha256sum_checks() {
    let index = BundleIndex::new(files(MINIMAL)).unwrap();
    let text = String::from_utf8(index.to_bytes()).unwrap();
    let expected = format!(
        "{}  component.wasm\n{}  script.toml\n",
        Digest::of(b"component.wasm").hex(),
        Digest::of(b"script.toml").hex()
    );
    assert_eq!(text, expected);
    assert_eq!(index.revision(), Digest::of(expected.as_bytes()));
    assert_eq!(BundleIndex::parse(text.as_bytes()).unwrap(), index);
}

#[test]
fn paths_cannot_leave_the_bundle_or_hide() {
    for bad in
        ["../x", "/etc/passwd", "a//b", "a/./b", ".hidden", "A", "a b", "", "a/", "ü", "a\\b", "-a"]
    {
        assert!(bad.parse::<BundlePath>().is_err(), "{bad:?}");
    }
}

#[test]
fn only_known_files_are_allowed() {
    for bad in [
        "bundle.sha256",
        "queries/x.txt",
        "queries/a/b.sql",
        "queries/.sql",
        "extra.wasm",
        "fixtures",
    ] {
        let Ok(path) = bad.parse::<BundlePath>() else {
            continue;
        };
        assert!(!path.is_allowed(), "{bad}");
    }
    for good in
        ["queries/a.sql", "fixtures/a/b.json", "readme.md", "source.tar", "input.schema.json"]
    {
        assert!(good.parse::<BundlePath>().unwrap().is_allowed(), "{good}");
    }
}

#[test]
fn a_list_that_reads_differently_to_another_tool_is_refused() {
    let good = String::from_utf8(BundleIndex::new(files(MINIMAL)).unwrap().to_bytes()).unwrap();
    let (first, second) = good.split_at(good.find('\n').unwrap() + 1);
    let swapped = format!("{second}{first}");
    for bad in [
        good.trim_end().to_owned(),
        good.replace("  ", " "),
        good.replace('\n', "\r\n"),
        swapped,
        format!("{first}{first}{second}"),
        good.to_uppercase(),
        format!("{good}\n"),
    ] {
        assert!(BundleIndex::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_file_that_is_absent_extra_or_changed_is_named() {
    let index = BundleIndex::new(files(&["component.wasm", "script.toml", "readme.md"])).unwrap();
    assert!(
        matches!(index.check(&files(MINIMAL)), Err(BundleError::Differs { path, .. }) if path.as_str() == "readme.md")
    );
    let mut changed = files(&["component.wasm", "script.toml", "readme.md"]);
    changed.insert("readme.md".parse().unwrap(), Digest::of(b"other"));
    assert!(index.check(&changed).is_err());
    let more = files(&["component.wasm", "script.toml", "readme.md", "source.tar"]);
    assert!(
        matches!(index.check(&more), Err(BundleError::Differs { path, .. }) if path.as_str() == "source.tar")
    );
}

proptest! {
    #[test]
    fn parsing_accepts_only_its_own_output(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(index) = BundleIndex::parse(&bytes) {
            prop_assert_eq!(index.to_bytes(), bytes);
        }
    }
}
