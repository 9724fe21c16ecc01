//! The list of digests, against what this build embeds.

use super::*;

#[test]
fn the_component_of_this_build_is_listed_under_its_version() {
    let digest = Digest::of(COMPONENT);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        version_of(&digest),
        Some(version),
        "the stock component changed; its line in sdk/stock/released.txt is\n{}  {version}",
        digest.hex()
    );
}

#[test]
fn a_version_has_one_digest_and_every_line_is_one() {
    let lines = RELEASED.lines().filter(|line| !line.starts_with('#'));
    let mut versions = std::collections::BTreeSet::new();
    for line in lines {
        let (hex, version) = line.split_once("  ").unwrap();
        assert!(Digest::from_hex(hex).is_ok(), "{line}");
        assert!(version.parse::<domain::ScriptVersion>().is_ok(), "{line}");
        assert!(versions.insert(version), "{version} is there twice");
    }
}

#[test]
fn a_single_other_byte_is_an_unlisted_build() {
    let mut exchanged = COMPONENT.to_vec();
    *exchanged.last_mut().unwrap() ^= 1;
    assert_eq!(version_of(&Digest::of(&exchanged)), None);
    assert!(in_words(&Digest::of(&exchanged)).starts_with("unlisted build"));
}
