//! Which packages are tested together, in the order of the arrows: what everything rests on fails
//! first. A package in no list is in `rest`, so that a new one cannot be forgotten.

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
}

/// The packages of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Packages {
    /// These.
    These(&'static [&'static str]),
    /// All that no other group lists.
    Rest,
    /// The examples in the documentation, of all packages; rustdoc builds and runs them.
    Docs,
}

/// Every group, in the order in which they run.
pub(crate) const ALL: &[Group] = &[
    Group { name: "pure", packages: Packages::These(&["domain", "trust", "ledger"]) },
    Group { name: "runner", packages: Packages::These(&["sandbox", "targets", "executor"]) },
    Group {
        name: "control-plane",
        packages: Packages::These(&["store", "api", "app", "server", "cli"]),
    },
    Group { name: "rest", packages: Packages::Rest },
    Group { name: "scenarios", packages: Packages::These(&["tests"]) },
    Group { name: "docs", packages: Packages::Docs },
];

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
    pub(crate) fn step(&self, xtask: &str) -> Step {
        let arguments = match self.packages {
            Packages::Docs => vec!["test", "--workspace", "--doc", "--quiet", "--no-fail-fast"],
            _ => [BUILT, &["--quiet", "--no-fail-fast"]].concat(),
        };
        let mut step = Step::cargo(self.name, &arguments);
        step.note = self.describe();
        let filter = match self.packages {
            Packages::These(names) => format!("={}", names.join(",")),
            Packages::Rest => format!("!{}", listed().join(",")),
            Packages::Docs => return step,
        };
        let runner = [xtask, one::COMMAND, &filter].map(|it| format!("{it:?}")).join(",");
        step.arguments
            .extend(["--config".to_owned(), format!("target.'cfg(all())'.runner=[{runner}]")]);
        step
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

/// Every package that a group lists.
fn listed() -> Vec<&'static str> {
    let names = ALL.iter().map(|group| match group.packages {
        Packages::These(names) => names,
        Packages::Rest | Packages::Docs => &[],
    });
    names.flatten().copied().collect()
}

#[cfg(test)]
mod tests;
