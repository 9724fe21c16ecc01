//! Folders that are no bundle.

use super::*;

const MANIFEST: &str = "[script]\nname = \"hello\"\nversion = \"1.0.0\"\nsummary = \"Says hello\"\n\
                        [targets.shop]\nengine = \"sqlite\"\n";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("component.wasm"), b"\0asm").unwrap();
    fs::write(dir.path().join("script.toml"), MANIFEST).unwrap();
    dir
}

#[test]
fn the_revision_is_the_digest_of_the_list_that_is_written() {
    let dir = folder();
    let bundle = Bundle::read(dir.path()).unwrap();
    write_index(dir.path(), &bundle.index).unwrap();
    let written = fs::read(dir.path().join("bundle.sha256")).unwrap();
    assert_eq!(Digest::of(&written), bundle.revision);
    assert_eq!(Bundle::read(dir.path()).unwrap().revision, bundle.revision);
    assert_eq!(bundle.text("script.toml").as_deref(), Some(MANIFEST));
}

#[test]
fn a_stale_list_in_the_folder_is_not_believed() {
    let dir = folder();
    let before = Bundle::read(dir.path()).unwrap();
    write_index(dir.path(), &before.index).unwrap();
    fs::write(dir.path().join("component.wasm"), b"\0asm changed").unwrap();
    assert_ne!(Bundle::read(dir.path()).unwrap().revision, before.revision);
}

#[test]
fn a_file_that_bundles_do_not_have_is_refused_by_name() {
    let dir = folder();
    fs::write(dir.path().join("passwords.txt"), "x").unwrap();
    let error = Bundle::read(dir.path()).unwrap_err().to_string();
    assert!(error.contains("passwords.txt"), "{error}");
    fs::remove_file(dir.path().join("passwords.txt")).unwrap();
    fs::write(dir.path().join(".env"), "x").unwrap();
    assert!(Bundle::read(dir.path()).unwrap_err().to_string().contains(".env"));
}

#[test]
fn a_server_that_sends_other_bytes_than_listed_is_caught() {
    let dir = folder();
    let good = Bundle::read(dir.path()).unwrap();
    let mut files = good.files.clone();
    files.insert("component.wasm".parse().unwrap(), b"\0asm evil".to_vec());
    let error = Bundle::check(good.index.clone(), files).unwrap_err().to_string();
    assert!(error.contains("component.wasm"), "{error}");
}
