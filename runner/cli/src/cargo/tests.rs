//! What is understood of cargo's words.

use super::*;

#[test]
fn only_the_component_of_the_package_itself_is_taken() {
    let artifact = |manifest: &str, file: &str| {
        serde_json::json!({
            "reason": "compiler-artifact", "manifest_path": manifest, "filenames": [file],
        })
        .to_string()
    };
    let messages = [
        artifact("/s/sdk/rust/Cargo.toml", "/t/libborescope.rlib"),
        artifact("/other/Cargo.toml", "/t/other.wasm"),
        "not JSON".to_owned(),
        artifact("/s/Cargo.toml", "/t/late.wasm"),
    ];
    let found = component_of(Path::new("/s"), &messages.join("\n"));
    assert_eq!(found, Some(PathBuf::from("/t/late.wasm")));
    assert_eq!(component_of(Path::new("/s"), &messages[..2].join("\n")), None);
}

#[test]
fn a_file_with_a_blank_in_its_name_is_one_file() {
    let read = prerequisites("/t/late.wasm: /s/src/lib.rs /s/src/my\\ text.txt\n");
    let expected = ["/s/src/lib.rs", "/s/src/my text.txt"].map(PathBuf::from);
    assert_eq!(read, expected.into());
}

#[test]
fn warnings_are_told_and_steps_are_not() {
    assert!(is_step("   Compiling serde v1.0.0") && is_step(""));
    assert!(!is_step("warning: unused variable: `x`") && !is_step(" --> src/lib.rs:3:5"));
}
