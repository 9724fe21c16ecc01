//! Expected decisions, kept beside the policy as `policy/tests.toml`: who must be able to run what,
//! and who must not. A policy that decides otherwise is not proposed.

use std::fmt;

use domain::display::neutralise_block;
use domain::{Denial, PersonId, Rule, Step, TargetId};
use serde::{Deserialize, Serialize};

use super::{Ground, Scene};
use crate::source::SourceError;

const FILE: &str = "policy/tests.toml";

/// What should come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The run is allowed.
    Allowed,
    /// This rule says no.
    Denied(Rule),
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed => f.write_str("allowed"),
            Self::Denied(rule) => f.write_str(rule.code()),
        }
    }
}

impl Serialize for Expect {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        if text == "allowed" {
            return Ok(Self::Allowed);
        }
        let rule = Rule::ALL.iter().find(|r| r.code() == text).copied();
        rule.map(Self::Denied).ok_or_else(|| {
            let codes: Vec<&str> = Rule::ALL.iter().map(|r| r.code()).collect();
            serde::de::Error::custom(format!(
                "expected \"allowed\" or one of: {}",
                codes.join(", ")
            ))
        })
    }
}

/// One expectation.
#[derive(Debug, Clone)]
pub struct PolicyTest {
    /// What it is about, in words.
    pub name: String,
    /// The run.
    pub scene: Scene,
    /// What should come out.
    pub expect: Expect,
}

/// How one came out.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What did come out.
    pub got: Result<(), Denial>,
    /// How: every rule.
    pub steps: Vec<Step>,
    /// Whether that was expected.
    pub passed: bool,
}

impl PolicyTest {
    /// Plays it.
    #[must_use]
    pub fn play(&self, ground: &Ground<'_>) -> Outcome {
        let got = self.scene.decide(ground).map(drop);
        let passed = match (&got, self.expect) {
            (Ok(()), Expect::Allowed) => true,
            (Err(denial), Expect::Denied(rule)) => denial.rule == rule,
            _ => false,
        };
        Outcome { got, steps: self.scene.explain(ground), passed }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default, rename = "test")]
    tests: Vec<RawTest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTest {
    name: String,
    target: TargetId,
    authors: Vec<PersonId>,
    #[serde(default)]
    reviewers: Vec<PersonId>,
    #[serde(default)]
    reviewed_before: Vec<PersonId>,
    caller: PersonId,
    #[serde(default)]
    approvers: Vec<PersonId>,
    #[serde(default)]
    break_glass: bool,
    #[serde(default)]
    self_serve: bool,
    expect: Expect,
}

/// The expectations of a file.
///
/// # Errors
/// Says what is wrong and where.
pub fn parse(text: &str) -> Result<Vec<PolicyTest>, SourceError> {
    let syntax = |what: String| SourceError::Syntax { file: FILE, what };
    let raw: RawFile =
        toml::from_str(text).map_err(|e| syntax(neutralise_block(&e.to_string())))?;
    let test = |t: RawTest| {
        let asks = !t.approvers.is_empty() || t.break_glass;
        if t.self_serve && asks {
            let name = domain::display::neutralise(&t.name);
            return Err(syntax(format!(
                "\"{name}\": with `self_serve` nobody asks, so that there are neither `approvers` nor \
                 `break_glass`"
            )));
        }
        let scene = Scene {
            target: t.target,
            authors: t.authors,
            reviewers: t.reviewers,
            reviewed_before: t.reviewed_before,
            caller: t.caller,
            approvers: t.approvers,
            break_glass: t.break_glass,
            self_serve: t.self_serve,
        };
        Ok(PolicyTest { name: t.name, scene, expect: t.expect })
    };
    raw.tests.into_iter().map(test).collect()
}
