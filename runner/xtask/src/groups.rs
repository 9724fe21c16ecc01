//! Which packages are tested together, in the order of the arrows: what everything rests on fails
//! first. A package in no list is in `rest`, so that a new one cannot be forgotten.

use std::path::Path;

use crate::needs::{self, Need};
use crate::one;
use crate::steps::Step;

/// What one build makes for all groups but `docs`.
pub(crate) const BUILT: &[&str] = &["test", "--workspace", "--lib", "--bins", "--tests"];

/// A named part of the tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Group {
    /// What people call it.
    pub(crate) name: &'static str,
    /// What is in it.
    pub(crate) packages: Packages,
    /// What it cannot run without.
    pub(crate) needs: &'static [Need],
}

/// What is in a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Packages {
    /// These packages; `package:binary` is one test binary, which then is in no other group.
    These(&'static [&'static str]),
    /// All that no other group lists.
    Rest,
    /// The examples in the documentation, of all packages; rustdoc builds and runs them.
    Docs,
}

/// Every group, in the order in which they run.
pub(crate) const ALL: &[Group] = &[
    group("pure", &["domain", "trust", "ledger"], &[Need::OpenSsh]),
    group("runner", &["sandbox", "targets", "executor"], &[]),
    group(
        "control-plane",
        &["store", "api", "app", "server", "cli"],
        &[Need::OpenSsh, Need::Terminal],
    ),
    Group { name: "rest", packages: Packages::Rest, needs: &[] },
    group("scenarios", &["tests"], &[]),
    group("postgres", &["tests:postgres", "cli:demo_postgres"], &[Need::Postgres]),
    group("schemathesis", &["tests:schemathesis"], &[Need::Python]),
    Group { name: "docs", packages: Packages::Docs, needs: &[] },
];

const fn group(
    name: &'static str,
    packages: &'static [&'static str],
    needs: &'static [Need],
) -> Group {
    Group { name, packages: Packages::These(packages), needs }
}

/// The group of that name.
pub(crate) fn find(name: &str) -> Option<Group> {
    ALL.iter().copied().find(|group| group.name == name)
}

/// The groups as a table for people, without a newline at the end.
pub(crate) fn list() -> String {
    let line = |group: &Group| format!("  {:<14} {}", group.name, group.describe());
    ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl Group {
    /// The command that runs the group, given the path of this program.
    pub(crate) fn step(&self, xtask: &str, root: &Path) -> Step {
        let arguments = match self.packages {
            Packages::Docs => vec!["test", "--workspace", "--doc", "--quiet", "--no-fail-fast"],
            _ => [BUILT, &["--quiet", "--no-fail-fast"]].concat(),
        };
        let mut step = Step::cargo(self.name, &arguments);
        step.note = self.describe();
        if self.packages == Packages::Docs {
            return step;
        }
        if self.needs.contains(&Need::Python) {
            let venv = needs::venv(root).to_string_lossy().into_owned();
            step.env.push((needs::VENV_VARIABLE.to_owned(), venv));
        }
        let runner = [xtask, one::COMMAND, self.name].map(|it| format!("{it:?}")).join(",");
        step.arguments
            .extend(["--config".to_owned(), format!("target.'cfg(all())'.runner=[{runner}]")]);
        step
    }

    /// What is missing of what it needs, in words; empty when it can run.
    pub(crate) fn missing(&self, root: &Path) -> Vec<String> {
        self.needs.iter().filter_map(|need| need.missing(root)).collect()
    }

    /// Whether a test binary is in it.
    pub(crate) fn has(&self, package: &str, binary: &str) -> bool {
        let one = format!("{package}:{binary}");
        let lists = |name: &str| listed().contains(&name);
        match self.packages {
            Packages::These(names) if lists(&one) => names.contains(&one.as_str()),
            Packages::These(names) => names.contains(&package),
            Packages::Rest => !lists(&one) && !lists(package),
            Packages::Docs => false,
        }
    }

    /// What is in it, in words.
    fn describe(&self) -> String {
        match self.packages {
            Packages::These(names) => names.join(", "),
            Packages::Rest => "every other package: sdk, scripts, xtask".to_owned(),
            Packages::Docs => "the examples in the documentation".to_owned(),
        }
    }
}

/// Every package and binary that a group lists.
fn listed() -> Vec<&'static str> {
    let names = ALL.iter().map(|group| match group.packages {
        Packages::These(names) => names,
        Packages::Rest | Packages::Docs => &[],
    });
    names.flatten().copied().collect()
}

#[cfg(test)]
mod tests;
