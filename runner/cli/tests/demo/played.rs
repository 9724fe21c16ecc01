//! One demo from start to end, as the tests of both engines play it.

#![expect(clippy::unwrap_used, reason = "a demo that prints something else has failed")]

use std::process::Command;

use serde_json::Value;

/// Plays the demo with `arguments` and checks every line; all of them.
pub(crate) fn as_expected(arguments: &[&str]) -> String {
    let demo = Command::new(env!("CARGO_BIN_EXE_borescope"))
        .args(["demo", "--json"])
        .args(arguments)
        .env_remove("HOME")
        .output()
        .unwrap();
    let text = String::from_utf8(demo.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    for line in &lines {
        assert_eq!(line["expect"], line["got"], "{line}");
        for key in ["step", "expect", "got", "code", "reason"] {
            assert!(line.get(key).is_some(), "{line} has no `{key}`");
        }
    }
    let count = |what: &str| lines.iter().filter(|l| l["expect"] == what).count();
    let stderr = String::from_utf8_lossy(&demo.stderr);
    assert!(count("ok") >= 10 && count("refused") >= 8, "{text}{stderr}");
    assert!(demo.status.success(), "{stderr}");
    let codes: Vec<&str> = lines.iter().filter_map(|l| l["code"].as_str()).collect();
    for code in [
        "review-missing",
        "document-invalid",
        "component-refused",
        "denied",
        "input-not-approved",
        "use-spent",
        "fuel",
        "grant-expired",
        "stopped",
    ] {
        assert!(codes.contains(&code), "nothing was refused with {code}: {codes:?}");
    }
    text
}
