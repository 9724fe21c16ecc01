//! The policy: targets with their rules, runners with their keys, scripts with their owners.

use std::collections::BTreeSet;

use domain::decide::{Quorum, TargetRules, Window};
use domain::manifest::Engine;
use domain::{
    Digest, GroupName, Limits, PolicyId, QueryLimits, RunnerName, ScriptName, TargetId, TrustDomain,
};
use serde::{Deserialize, Serialize};

use super::keyring::{Role, check_version};
use super::written;
use crate::document::{Document, EmptyOnly, Full, Header, Problem, SignedBy, VersionRef, field};
use crate::envelope::POLICY_BYTES_MAX;
use crate::key::PublicKey;

/// How the runner knows that it reached the right database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TargetIdentity {
    /// A SQLite file.
    Sqlite(SqliteIdentity),
}

/// What identifies a SQLite file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqliteIdentity {
    /// `PRAGMA application_id`, as an unsigned number.
    pub application_id: u32,
}

/// Columns of one table that may be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The table or view.
    pub table: String,
    /// Its columns; one that is not listed cannot be read.
    pub columns: Vec<String>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyTarget {
    /// Its id.
    pub id: TargetId,
    /// Its engine.
    pub engine: Engine,
    /// Whether it is production.
    pub prod: bool,
    /// Its real identity.
    pub identity: TargetIdentity,
    /// Runners that reach it.
    pub runners: Vec<RunnerName>,
    /// Groups whose members may run on it.
    pub callers: Vec<GroupName>,
    /// Reviews needed.
    pub reviews: Quorum,
    /// Approvals needed.
    pub approvals: Quorum,
    /// Limits of a run that touches it.
    pub limits: Limits,
    /// Limits of each query on it.
    pub query: QueryLimits,
    /// What may be read.
    pub reads: Vec<Read>,
    /// Denied columns; come later.
    pub denied: EmptyOnly,
    /// Masks; come later.
    pub masks: EmptyOnly,
    /// Row filters; come later.
    pub row_filters: EmptyOnly,
    /// What is recorded: everything.
    pub recording: Full,
    /// Milliseconds of one statement.
    pub statement_ms_max: u64,
    /// Seconds that a replica may lag behind; `null` where nothing replicates.
    #[serde(deserialize_with = "written")]
    pub lag_s_max: Option<u64>,
    /// Groups whose members may read results, besides the caller.
    pub readers: Vec<GroupName>,
    /// Days that recordings are kept.
    pub retention_days: u64,
}

impl PolicyTarget {
    /// The part that decides.
    #[must_use]
    pub fn rules(&self) -> TargetRules {
        TargetRules {
            id: self.id.clone(),
            prod: self.prod,
            runners: self.runners.clone(),
            callers: self.callers.clone(),
            reviews: self.reviews.clone(),
            approvals: self.approvals.clone(),
            limits: self.limits,
            query: self.query,
        }
    }
}

/// One runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRunner {
    /// Its name.
    pub name: RunnerName,
    /// The key that signs its receipts.
    pub key: PublicKey,
    /// The verifier key of its log's checkpoints (C2SP signed note).
    pub log_vkey: String,
}

/// Who owns a script's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyScript {
    /// The script.
    pub name: ScriptName,
    /// Groups that own it.
    pub owners: Vec<GroupName>,
}

/// The policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What every document has.
    pub header: Header<PolicyId>,
    /// From 1.
    pub version: u64,
    /// The digest of the previous version's payload; `null` for version 1.
    #[serde(deserialize_with = "written")]
    pub previous: Option<Digest>,
    /// The keyring whose roles signed it.
    pub keyring: VersionRef,
    /// Targets, none twice.
    pub targets: Vec<PolicyTarget>,
    /// Runners, none twice.
    pub runners: Vec<PolicyRunner>,
    /// Scripts, none twice.
    pub scripts: Vec<PolicyScript>,
}

impl Policy {
    /// The rules of a target.
    #[must_use]
    pub fn target(&self, id: &TargetId) -> Option<&PolicyTarget> {
        self.targets.iter().find(|t| t.id == *id)
    }

    /// A runner's entry.
    #[must_use]
    pub fn runner(&self, name: &RunnerName) -> Option<&PolicyRunner> {
        self.runners.iter().find(|r| r.name == *name)
    }
}

impl Document for Policy {
    const DOC: &'static str = "policy";
    const BYTES_MAX: usize = POLICY_BYTES_MAX;
    fn trust_domain(&self) -> &TrustDomain {
        &self.header.trust_domain
    }
    fn window(&self) -> Window {
        self.header.window()
    }
    fn signed_by(&self) -> SignedBy<'_> {
        SignedBy::Role(Role::Policy)
    }
    fn check(&self) -> Result<(), Problem> {
        check_version(self.version, self.previous)?;
        unique("targets", self.targets.iter().map(|t| t.id.as_str()))?;
        unique("runners", self.runners.iter().map(|r| r.name.as_str()))?;
        unique("scripts", self.scripts.iter().map(|s| s.name.as_str()))?;
        let keys: Vec<String> = self.runners.iter().map(|r| r.key.to_string()).collect();
        unique("runners.key", keys.iter().map(String::as_str))?;
        for (i, t) in self.targets.iter().enumerate() {
            if let Some(r) = t.runners.iter().find(|r| self.runner(r).is_none()) {
                return Err(field(
                    format!("targets.{i}.runners"),
                    format!("{r} is not in `runners`"),
                ));
            }
            unique(&format!("targets.{i}.reads"), t.reads.iter().map(|r| r.table.as_str()))?;
        }
        Ok(())
    }
}

fn unique<'a>(at: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let name = domain::display::neutralise(name);
            return Err(field(at, format!("{name} is listed twice")));
        }
    }
    Ok(())
}
