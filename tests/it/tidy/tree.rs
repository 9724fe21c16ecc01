//! The shape of the repository: what stands at its top, what the architecture page and the
//! workspace manifest must mention. The content of source files is `sources`' business.

use std::collections::BTreeSet;

use super::Source;

/// Everything that a visitor sees first. Configuration of tools goes into dot-files.
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "runner",
    "sdk",
    "scripts",
    "migrations",
    "tests",
];

/// Visible entries at the top that are missing or too many.
pub(super) fn top_level(files: &[String]) -> Vec<String> {
    let first = files.iter().filter_map(|path| path.split('/').next());
    let found: BTreeSet<&str> = first.filter(|name| !name.starts_with('.')).collect();
    let agreed: BTreeSet<&str> = TOP_LEVEL.iter().copied().collect();
    let missing = agreed.difference(&found).map(|name| format!("{name}: missing at the top level"));
    let extra =
        found.difference(&agreed).map(|name| format!("{name}: not agreed at the top level"));
    missing.chain(extra).collect()
}

/// Directories of crates that the architecture page does not mention as `name/`.
pub(super) fn not_in_architecture(files: &[String], page: &str) -> Vec<String> {
    let crates = files.iter().filter_map(|path| {
        let name = path.strip_prefix("runner/")?.strip_suffix("/Cargo.toml")?;
        (!name.contains('/')).then_some(name)
    });
    let mentions = |name: &str| {
        page.match_indices(&format!("{name}/"))
            .any(|(at, _)| !page[..at].ends_with(|it: char| it.is_alphanumeric() || it == '-'))
    };
    let missing = crates.filter(|name| !mentions(name));
    missing.map(|name| format!("runner/ARCHITECTURE.md: does not mention `{name}/`")).collect()
}

/// External lines of `[workspace.dependencies]` without a comment that says what they are for. A
/// dependency is one line; our own crates, which have a path, need no reason.
pub(super) fn dependencies_without_comment(manifest: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(manifest.lines()) {
        if line.starts_with('[') {
            inside = line.trim() == "[workspace.dependencies]";
            continue;
        }
        let Some((name, value)) = line.split_once('=').filter(|_| inside) else {
            continue;
        };
        if line.starts_with('#') || value.contains("path =") {
            continue;
        }
        if comment(value).is_none_or(|comment| comment.trim().is_empty()) {
            violations.push(format!("Cargo.toml:{number}: say what `{}` is for", name.trim()));
        }
    }
    violations
}

/// Manifests that do not take the lints of the workspace: without that line nothing is refused.
pub(super) fn without_lints(manifests: &[Source]) -> Vec<String> {
    let missing = manifests.iter().filter(|manifest| {
        let lines: Vec<&str> = manifest.text.lines().map(str::trim).collect();
        !lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"])
    });
    missing.map(|Source { path, .. }| format!("{path}: needs `[lints] workspace = true`")).collect()
}

/// What stands after the first `#` that is not in a string.
fn comment(value: &str) -> Option<&str> {
    let mut in_string = false;
    for (at, it) in value.char_indices() {
        match it {
            '"' => in_string = !in_string,
            '#' if !in_string => return Some(&value[at + 1..]),
            _ => {}
        }
    }
    None
}

fn files(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn a_stray_and_a_missing_entry_at_the_top_are_found() {
    let mut tree = files(TOP_LEVEL);
    tree.push(".ci/run".to_owned());
    assert_eq!(top_level(&tree), Vec::<String>::new());
    tree.push("notes.txt".to_owned());
    tree.retain(|path| path != "LICENSE");
    assert_eq!(
        top_level(&tree),
        ["LICENSE: missing at the top level", "notes.txt: not agreed at the top level"]
    );
}

#[test]
fn a_crate_that_the_architecture_forgets_is_found() {
    let tree =
        files(&["runner/api/Cargo.toml", "runner/cli/Cargo.toml", "runner/cli/x/Cargo.toml"]);
    assert_eq!(not_in_architecture(&tree, "`api/` and `cli/`"), Vec::<String>::new());
    assert_eq!(
        not_in_architecture(&tree, "`mini-api/` and `cli/`"),
        ["runner/ARCHITECTURE.md: does not mention `api/`"]
    );
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let manifest = "[workspace.dependencies]\n\
        # Encodings\n\
        ours = { path = \"runner/ours\" }\n\
        good = \"1\" # what for\n\
        bad = { version = \"1\", git = \"https://x/#y\" }\n\
        empty = \"1\" #\n\
        [profile.dev]\n\
        debug = true\n";
    assert_eq!(
        dependencies_without_comment(manifest),
        ["Cargo.toml:5: say what `bad` is for", "Cargo.toml:6: say what `empty` is for"]
    );
}

#[test]
fn a_crate_that_escapes_the_lints_is_found() {
    let manifest = |text: &str| Source { path: "runner/x/Cargo.toml".into(), text: text.into() };
    let good = manifest("[package]\n\n[lints]\nworkspace = true\n\n[dependencies]\n");
    assert_eq!(without_lints(&[good]), Vec::<String>::new());
    let bad =
        manifest("[package]\nversion.workspace = true\n\n[lints.rust]\nunsafe_code = \"allow\"\n");
    assert_eq!(without_lints(&[bad]), ["runner/x/Cargo.toml: needs `[lints] workspace = true`"]);
}
