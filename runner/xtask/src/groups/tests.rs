//! No test is run twice, and none is forgotten.

use super::*;

#[test]
fn every_binary_is_in_exactly_one_group() {
    let binaries = listed().into_iter().map(|it| it.split_once(':').unwrap_or((it, it)));
    let others = [("xtask", "xtask"), ("borescope", "borescope"), ("tests", "it")];
    for (package, binary) in binaries.chain(others).chain([("a-script-of-tomorrow", "lib")]) {
        let groups: Vec<_> = ALL.iter().filter(|group| group.has(package, binary)).collect();
        assert_eq!(groups.len(), 1, "`{package}:{binary}` is in {groups:?}");
    }
}

#[test]
fn a_binary_with_a_group_of_its_own_is_not_run_with_its_package() {
    let group = |name: &str| find(name).expect("it is a group");
    assert!(group("postgres").has("tests", "postgres"));
    assert!(!group("scenarios").has("tests", "postgres"));
    assert!(group("scenarios").has("tests", "it"));
}

#[test]
fn a_listed_package_or_binary_that_is_gone_is_noticed() {
    let root = crate::root();
    for name in listed() {
        let (package, binary) = name.split_once(':').map_or((name, None), |(p, b)| (p, Some(b)));
        let parent = if package == "tests" { root.clone() } else { root.join("runner") };
        let folder = parent.join(package);
        assert!(folder.join("Cargo.toml").is_file(), "`{package}` is no package; remove it");
        let Some(binary) = binary else { continue };
        let places =
            [folder.join(binary).join("main.rs"), folder.join(format!("tests/{binary}.rs"))];
        assert!(places.iter().any(|it| it.is_file()), "`{name}` is gone; remove it");
    }
}

#[test]
fn all_groups_share_one_build() {
    for group in ALL.iter().filter(|group| group.packages != Packages::Docs) {
        let step = group.step("/bin/xtask", Path::new("/repo"));
        assert_eq!(
            step.arguments[..BUILT.len()],
            *BUILT,
            "another selection compiles it all again"
        );
    }
}
