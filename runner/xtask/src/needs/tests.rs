//! What is missing is named before anything starts, and half an installation is none.

use super::*;

#[test]
fn missing_programs_are_named_and_present_ones_are_not() {
    let folder = std::env::temp_dir().join(format!("xtask-needs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("initdb"), "").expect("a file");
    let folders = [folder.clone()];
    let said = programs("PostgreSQL's server", &["initdb", "pg_ctl"], &folders);
    assert_eq!(said.as_deref(), Some("PostgreSQL's server programs: pg_ctl"));
    assert_eq!(programs("PostgreSQL's server", &["initdb"], &folders), None);
    std::fs::remove_dir_all(folder).expect("it is ours");
}

#[test]
fn an_environment_of_other_requirements_counts_as_missing() {
    let root = std::env::temp_dir().join(format!("xtask-venv-{}", std::process::id()));
    std::fs::create_dir_all(root.join("tests/schemathesis")).expect("a folder");
    std::fs::create_dir_all(venv(&root)).expect("a folder");
    assert!(python(&root).is_some(), "no requirements at all");
    std::fs::write(requirements(&root), "a==1\n").expect("a file");
    assert!(python(&root).is_some(), "nothing was installed");
    std::fs::write(installed(&root), "a==1\n").expect("a file");
    assert_eq!(python(&root), None);
    std::fs::write(requirements(&root), "a==2\n").expect("a file");
    assert!(python(&root).is_some(), "another version is wanted now");
    std::fs::remove_dir_all(root).expect("it is ours");
}

#[test]
fn every_manager_knows_a_package_for_every_need() {
    for manager in MANAGERS {
        for need in [Need::OpenSsh, Need::Terminal, Need::Postgres, Need::Python] {
            assert!(!manager.package(need).is_empty(), "{}", manager.program);
        }
    }
}
