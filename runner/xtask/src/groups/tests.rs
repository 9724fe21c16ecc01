//! No package is tested twice, and none is forgotten.

use super::*;

/// Whether the command of `group` would run the test binaries of `package`.
fn runs(group: &Group, package: &str) -> bool {
    let step = group.step("/bin/xtask");
    let Some(config) = step.arguments.iter().find(|it| it.contains("runner=")) else {
        return false;
    };
    let filter = config.rsplit('"').nth(1).expect("the filter is the last string");
    one::is_chosen(filter, package)
}

#[test]
fn every_package_is_in_exactly_one_group() {
    for package in listed().into_iter().chain(["xtask", "borescope", "a-script-of-tomorrow"]) {
        let groups: Vec<_> = ALL.iter().filter(|group| runs(group, package)).collect();
        assert_eq!(groups.len(), 1, "`{package}` is in {groups:?}");
    }
}

#[test]
fn a_listed_package_that_is_gone_is_noticed() {
    let root = crate::root();
    for package in listed() {
        let folder =
            if package == "tests" { root.join("tests") } else { root.join("runner").join(package) };
        assert!(folder.join("Cargo.toml").is_file(), "`{package}` is no package; remove it");
    }
}

#[test]
fn all_groups_share_one_build() {
    for group in ALL.iter().filter(|group| group.packages != Packages::Docs) {
        let step = group.step("/bin/xtask");
        assert_eq!(
            step.arguments[..BUILT.len()],
            *BUILT,
            "another selection compiles it all again"
        );
    }
}
