//! The embedded copy, against the folders of the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

/// Every file below a folder of the SDK, by its path in the copy.
fn repository() -> BTreeMap<String, Vec<u8>> {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk");
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![sdk.join("wit"), sdk.join("rust")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let place = entry.unwrap().path();
            if place.is_dir() {
                folders.push(place);
            } else {
                let path = place.strip_prefix(&sdk).unwrap().to_str().unwrap().to_owned();
                found.insert(path, std::fs::read(&place).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_copy_is_the_folders_of_the_repository() {
    let mut copy: BTreeMap<String, Vec<u8>> =
        FILES.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    let manifest = String::from_utf8(copy.remove("Cargo.toml").unwrap()).unwrap();
    assert_eq!(copy, repository());
    // The manifest above them has everything that theirs take from the workspace, and nothing else.
    let manifest: toml::Table = manifest.parse().unwrap();
    let workspace = manifest["workspace"].as_table().unwrap();
    let dependencies = workspace["dependencies"].as_table().unwrap();
    let mut wanted = std::collections::BTreeSet::new();
    for path in ["rust/Cargo.toml", "rust/macros/Cargo.toml"] {
        let text = String::from_utf8(copy[path].clone()).unwrap();
        let package: toml::Table = text.parse().unwrap();
        wanted.extend(package["dependencies"].as_table().unwrap().keys().cloned());
    }
    assert!(wanted.iter().all(|name| dependencies.contains_key(name)), "{wanted:?}");
    assert!(workspace["lints"]["rust"].is_table() && workspace["package"]["version"].is_str());
}

#[test]
fn the_lock_has_what_the_sdk_needs_and_nothing_of_the_server() {
    let lock: toml::Table = LOCK.parse().unwrap();
    let names: Vec<&str> =
        lock["package"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    for name in ["borescope", "borescope-macros", "serde", "wit-bindgen", "syn"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(!names.contains(&"wasmtime") && !names.contains(&"tokio"), "{names:?}");
}

#[test]
fn a_file_of_the_sdk_that_somebody_changed_is_for_the_reviewer() {
    let (path, bytes) = FILES.iter().find(|(path, _)| *path == "rust/src/query.rs").unwrap();
    assert!(is_copy(&format!("sdk/{path}"), bytes));
    assert!(!is_copy(&format!("sdk/{path}"), &[bytes, &b"\n"[..]].concat()));
    assert!(!is_copy("sdk/rust/src/row.rs", bytes), "another file's bytes");
    assert!(!is_copy(&format!("src/{path}"), bytes) && !is_copy("sdk/rust/src/more.rs", b""));
}
