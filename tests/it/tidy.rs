//! Checks of the source tree: crate arrows, owners of external crates, budgets, headers, clocks,
//! the top level, documentation. Nothing here runs the product.
//!
//! Each check is a pure function from text to violations, with a bad sample beside it that shows
//! that it can fail; this file only feeds those functions the real tree. Neighbours: `arrows`
//! (dependencies), `budgets` (lengths), `sources` (content of files), `tree` (the top level and
//! what documents must mention), `rust_text` (comments and strings blanked out).

mod arrows;
mod budgets;
mod rust_text;
mod sources;
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::MetadataCommand;

/// A file of the tree: its path relative to the root, and its text.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

#[test]
fn crates_depend_only_along_the_arrows() {
    assert_tidy(&arrows::off_the_arrows(&packages()));
}

#[test]
fn external_crates_have_owners() {
    assert_tidy(&arrows::without_owner(&packages()));
}

#[test]
fn files_stay_within_their_budget() {
    assert_tidy(&budgets::long_files(&rust_sources(), budgets::OVER_THE_GOAL));
}

#[test]
fn functions_stay_within_their_budget() {
    assert_tidy(&budgets::long_functions(&rust_sources()));
}

#[test]
fn every_module_opens_with_its_header() {
    assert_tidy(&sources::without_header(&rust_sources(), sources::FRAGMENTS));
}

#[test]
fn clock_and_entropy_are_parameters() {
    assert_tidy(&sources::ambient_clock_or_entropy(&rust_sources()));
}

#[test]
fn one_place_prints() {
    assert_tidy(&sources::printing(&rust_sources()));
}

#[test]
fn nothing_is_left_unfinished() {
    assert_tidy(&sources::unfinished(&text_sources()));
}

#[test]
fn the_top_level_is_the_agreed_one() {
    assert_tidy(&tree::top_level(&git_files(&["--cached"])));
}

#[test]
fn the_architecture_mentions_every_crate() {
    let files = git_files(&["--cached", "--others", "--exclude-standard"]);
    let page = read("runner/ARCHITECTURE.md").unwrap_or_default();
    assert_tidy(&tree::not_in_architecture(&files, &page));
}

#[test]
fn every_external_dependency_says_what_it_is_for() {
    let manifest = read("Cargo.toml").expect("the workspace has a manifest");
    assert_tidy(&tree::dependencies_without_comment(&manifest));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let paths = packages().into_iter().map(|package| package.manifest());
    let manifests = paths.map(|path| Source { text: read(&path).unwrap_or_default(), path });
    assert_tidy(&tree::without_lints(&manifests.collect::<Vec<_>>()));
}

/// Fails with all violations at once, one a line: fixing them one run at a time wastes an hour.
fn assert_tidy(violations: &[String]) {
    assert!(violations.is_empty(), "not tidy:\n  {}\n", violations.join("\n  "));
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The workspace's packages with their declared dependencies; nothing is resolved or downloaded.
fn packages() -> Vec<arrows::Package> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .unwrap_or_else(|error| panic!("`cargo metadata` failed: {error}"));
    metadata.packages.iter().map(|package| arrows::Package::new(package, &root())).collect()
}

fn rust_sources() -> Vec<Source> {
    sources_where(|path| path.ends_with(".rs"))
}

fn text_sources() -> Vec<Source> {
    const KINDS: [&str; 9] =
        [".rs", ".toml", ".md", ".sql", ".wit", ".json", ".sh", ".wat", ".ci/run"];
    sources_where(|path| KINDS.iter().any(|kind| path.ends_with(kind)))
}

/// Committed and not yet committed files, so that a violation is found before it is committed.
fn sources_where(keep: impl Fn(&str) -> bool) -> Vec<Source> {
    let files = git_files(&["--cached", "--others", "--exclude-standard"]);
    let kept = files.into_iter().filter(|path| keep(path));
    let sources = kept.filter_map(|path| read(&path).map(|text| Source { path, text }));
    let sources: Vec<Source> = sources.collect();
    assert!(!sources.is_empty(), "no files found: the checks would pass without checking");
    sources
}

/// The text of a file; nothing if it is gone or is not text.
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(root().join(path)).ok()
}

/// The files that git lists, relative to the root, sorted and without duplicates.
fn git_files(flags: &[&str]) -> Vec<String> {
    let output = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z"])
        .args(flags)
        .output()
        .unwrap_or_else(|error| panic!("cannot start git, which the tidy checks need: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`git ls-files` failed (is this a clone?): {stderr}");
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut files: Vec<String> =
        listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    files
}
