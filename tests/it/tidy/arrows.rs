//! Who may depend on whom: the crate arrows, and the owners of external crates. This reads declared
//! dependencies only; what a crate does with them is not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::DependencyKind;

/// `(crate, what it may depend on directly)`. It may also depend on all that those may depend on.
/// This is the table of `runner/ARCHITECTURE.md`; a new arrow is a decision, not a convenience.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("trust", &["domain"]),
    ("ledger", &["trust"]),
    ("sandbox", &["trust"]),
    ("targets", &["trust"]),
    ("executor", &["ledger", "sandbox", "targets"]),
    ("store", &["domain"]),
    ("api", &["domain"]),
    ("app", &["executor", "store", "api"]),
    ("server", &["app"]),
    ("cli", &["server"]),
    ("xtask", &[]),
    ("borescope-macros", &[]),
    ("borescope", &["borescope-macros"]),
    ("stock", &["borescope"]),
];

/// What every script may depend on directly.
const SCRIPTS_MAY: &[&str] = &["borescope"];

/// `(external crate, with all crate-… and crate_…, who may link it)`. The package `tests` attacks everything and
/// is exempt; dev-dependencies are linked into no product and are exempt as well.
const OWNERS: &[(&str, &[&str])] = &[
    ("sqlx", &["store", "targets"]),
    ("rusqlite", &["targets", "cli"]), // cli: the sample database of the demo
    ("tokio-postgres", &["targets"]),
    ("pg_query", &["targets"]),
    ("wasmtime", &["sandbox"]),
    ("axum", &["server"]),
    ("tower", &["server"]),
    ("reqwest", &["api"]),
    ("clap", &["cli"]),
    ("comfy-table", &["cli"]),
    ("indicatif", &["cli"]),
    ("anyhow", &["cli", "xtask"]),
];

/// A package of the workspace, reduced to what the rules look at.
pub(super) struct Package {
    name: String,
    /// Its folder, relative to the root.
    folder: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    /// In this repository, rather than from a registry.
    ours: bool,
    dev: bool,
}

impl Package {
    pub(super) fn new(package: &cargo_metadata::Package, root: &Path) -> Self {
        let manifest = package.manifest_path.as_std_path();
        let folder = manifest.parent().and_then(|path| path.strip_prefix(root).ok());
        let dependencies = package.dependencies.iter().map(|dependency| Dependency {
            name: dependency.name.clone(),
            ours: dependency.path.is_some(),
            dev: dependency.kind == DependencyKind::Development,
        });
        Self {
            name: package.name.to_string(),
            folder: folder.unwrap_or(manifest).to_string_lossy().into_owned(),
            dependencies: dependencies.collect(),
        }
    }

    /// The path of its manifest, relative to the root.
    pub(super) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// Dependencies of any kind (dev and build too) that follow no arrow.
pub(super) fn off_the_arrows(packages: &[Package]) -> Vec<String> {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut violations = Vec::new();
    for package in packages.iter().filter(|package| package.name != "tests") {
        let direct = if package.folder.starts_with("scripts/") {
            SCRIPTS_MAY
        } else if let Some(direct) = arrows.get(package.name.as_str()) {
            direct
        } else {
            violations.push(format!(
                "{}: crate `{}` is in no arrow; add it to ARROWS and to runner/ARCHITECTURE.md",
                package.folder, package.name
            ));
            continue;
        };
        let allowed = closure(direct, &arrows);
        let ours = package.dependencies.iter().filter(|dependency| dependency.ours);
        for dependency in ours.filter(|dependency| !allowed.contains(dependency.name.as_str())) {
            let allowed = allowed.iter().copied().collect::<Vec<_>>().join(", ");
            violations.push(format!(
                "{}: `{}` must not depend on `{}`; it may depend on: {allowed}",
                package.folder, package.name, dependency.name
            ));
        }
    }
    violations
}

/// External crates that are linked by someone who does not own them.
pub(super) fn without_owner(packages: &[Package]) -> Vec<String> {
    let mut violations = Vec::new();
    for package in packages.iter().filter(|package| package.name != "tests") {
        for dependency in package.dependencies.iter().filter(|it| !it.ours && !it.dev) {
            let Some((_, owners)) = OWNERS.iter().find(|(name, _)| {
                let rest = dependency.name.strip_prefix(name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
            }) else {
                continue;
            };
            if !owners.contains(&package.name.as_str()) {
                violations.push(format!(
                    "{}: `{}` must not link `{}`; that is for: {}",
                    package.folder,
                    package.name,
                    dependency.name,
                    owners.join(", ")
                ));
            }
        }
    }
    violations
}

/// `direct` and everything that those may depend on.
fn closure<'a>(direct: &[&'a str], arrows: &BTreeMap<&'a str, &[&'a str]>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = direct.to_vec();
    while let Some(name) = waiting.pop() {
        if reached.insert(name) {
            waiting.extend(arrows.get(name).copied().unwrap_or_default());
        }
    }
    reached
}

fn package(folder: &str, name: &str, dependencies: &[(&str, bool, bool)]) -> Package {
    let dependencies = dependencies.iter().map(|&(name, ours, dev)| Dependency {
        name: name.to_owned(),
        ours,
        dev,
    });
    Package {
        name: name.to_owned(),
        folder: folder.to_owned(),
        dependencies: dependencies.collect(),
    }
}

#[test]
fn an_executor_that_reaches_for_the_store_is_found() {
    for upward in ["store", "app", "api", "server", "cli"] {
        let bad = package("runner/executor", "executor", &[(upward, true, false)]);
        let found = off_the_arrows(&[bad]);
        assert_eq!(found.len(), 1, "executor -> {upward} must be refused");
        assert!(found[0].contains(&format!("`executor` must not depend on `{upward}`")));
    }
}

#[test]
fn a_pure_crate_that_tests_itself_with_the_runner_is_found() {
    let bad = package("runner/domain", "domain", &[("executor", true, true)]);
    assert_eq!(off_the_arrows(&[bad]).len(), 1, "dev-dependencies must not point upwards either");
}

#[test]
fn a_script_that_links_the_runner_is_found() {
    let script = package("scripts/x", "x", &[("borescope", true, false), ("domain", true, false)]);
    let sdk = package("sdk/rust", "borescope", &[("domain", true, false)]);
    let tool = package("runner/xtask", "xtask", &[("domain", true, false)]);
    assert_eq!(off_the_arrows(&[script, sdk, tool]).len(), 3);
}

#[test]
fn a_crate_without_an_arrow_is_found_and_a_long_way_down_is_not() {
    let unknown = package("runner/gateway", "gateway", &[]);
    assert_eq!(off_the_arrows(&[unknown]).len(), 1);
    let cli = package("runner/cli", "cli", &[("domain", true, false), ("ledger", true, false)]);
    assert_eq!(off_the_arrows(&[cli]), Vec::<String>::new());
}

#[test]
fn an_external_crate_outside_its_owner_is_found() {
    let bad = package(
        "runner/app",
        "app",
        &[("wasmtime-wasi", false, false), ("sqlx", false, false), ("tower-http", false, false)],
    );
    assert_eq!(without_owner(&[bad]).len(), 3);
    let good = package("runner/store", "store", &[("sqlx", false, false), ("axum", false, true)]);
    assert_eq!(without_owner(&[good]), Vec::<String>::new(), "a dev-dependency ships nowhere");
}
