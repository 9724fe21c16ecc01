//! The policy: targets with their rules, runners with their keys, scripts with their owners.

mod masking;

use std::collections::BTreeSet;

use domain::decide::{BreakGlassRules, Quorum, SelfServeRules, TargetRules, Window};
use domain::manifest::Engine;
use domain::{
    Digest, GroupName, Limits, PolicyId, QueryLimits, RunnerName, ScriptName, TargetGroup,
    TargetId, TrustDomain,
};
use serde::{Deserialize, Serialize};

pub use masking::{ColumnMask, Denied, RowFilter};

use super::keyring::{Role, check_version};
use super::written;
use crate::document::{Document, Full, Header, Problem, SignedBy, VersionRef, field};
use crate::envelope::POLICY_BYTES_MAX;
use crate::key::PublicKey;

/// Bytes of a PostgreSQL name: NAMEDATALEN − 1, and longer ones would be cut silently.
const POSTGRES_NAME_BYTES_MAX: usize = 63;

/// What stands before a group's name where a target's is expected.
pub const GROUP_PREFIX: &str = "group:";

/// How the runner knows that it reached the right database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TargetIdentity {
    /// A SQLite file.
    Sqlite(SqliteIdentity),
    /// A PostgreSQL database, as one role sees it.
    Postgres(PostgresIdentity),
}

impl TargetIdentity {
    /// The engine that it is an identity of.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }
}

/// What identifies a SQLite file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqliteIdentity {
    /// `PRAGMA application_id`, as an unsigned number.
    pub application_id: u32,
}

/// What identifies a PostgreSQL database, and the role that the runner is there. A primary and its
/// standbys share it; a cluster restored from elsewhere under the same host name does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresIdentity {
    /// `system_identifier` of `pg_control_system()`, in decimal; text, because it needs 64 bits.
    pub system_identifier: String,
    /// The database.
    pub database: String,
    /// The login role, which has no more privileges than the reads.
    pub role: String,
}

impl PostgresIdentity {
    /// [`PostgresIdentity::system_identifier`] as the number it is.
    ///
    /// # Errors
    /// When it is no canonical decimal number of 64 bits.
    pub fn system(&self) -> Result<u64, Problem> {
        let text = self.system_identifier.as_str();
        let number = text.parse::<u64>().ok().filter(|n| n.to_string() == text);
        number.ok_or_else(|| {
            let got = domain::display::neutralise(text);
            let what = format!("\"{got}\" is not a system identifier: 64 bits in decimal digits");
            field("identity.postgres.system_identifier", what)
        })
    }
}

/// Columns of one table that may be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The table or view; `schema.table` on PostgreSQL.
    pub table: String,
    /// Its columns; one that is not listed cannot be read.
    pub columns: Vec<String>,
}

impl Read {
    /// Both halves of `schema.table`; `None` when the name has another form.
    #[must_use]
    pub fn schema_and_name(&self) -> Option<(&str, &str)> {
        let (schema, name) = self.table.split_once('.')?;
        (!schema.is_empty() && !name.is_empty() && !name.contains('.')).then_some((schema, name))
    }
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
    /// Groups of targets that it is one of, as the shards of a database are.
    pub groups: Vec<TargetGroup>,
    /// Its real identity.
    pub identity: TargetIdentity,
    /// Runners that reach it.
    pub runners: Vec<RunnerName>,
    /// Groups whose members may run on it.
    pub callers: Vec<GroupName>,
    /// Reviews needed.
    pub reviews: Quorum,
    /// People who suffice where only the component changed since a revision that had all its
    /// reviews; `null`: always all.
    #[serde(deserialize_with = "written")]
    pub reviews_unchanged: Option<u32>,
    /// Approvals needed.
    pub approvals: Quorum,
    /// Who may run without one what reviewers opened; `null`: nobody.
    #[serde(deserialize_with = "written")]
    pub self_serve: Option<SelfServeRules>,
    /// What an emergency may do; `null`: nothing.
    #[serde(deserialize_with = "written")]
    pub break_glass: Option<BreakGlassRules>,
    /// Limits of a run that touches it.
    pub limits: Limits,
    /// Limits of each query on it.
    pub query: QueryLimits,
    /// What may be read.
    pub reads: Vec<Read>,
    /// Columns of these tables that nobody may put into `reads`.
    pub denied: Vec<Denied>,
    /// What stands in the place of columns of `reads`.
    pub masks: Vec<ColumnMask>,
    /// Rows of tables of `reads` that queries see; a table without one shows all.
    pub row_filters: Vec<RowFilter>,
    /// What is recorded: everything.
    pub recording: Full,
    /// Milliseconds of one statement.
    pub statement_ms_max: u64,
    /// What the target's planner may expect a query to cost, in its own units; `null` where nothing
    /// plans by cost.
    #[serde(deserialize_with = "written")]
    pub cost_max: Option<u64>,
    /// Whether queries may recurse (`WITH RECURSIVE`): nobody can tell before how long they take.
    pub recursion: bool,
    /// Seconds that a replica may lag behind; `null` where nothing replicates.
    #[serde(deserialize_with = "written")]
    pub lag_s_max: Option<u64>,
    /// Groups whose members may read results, besides the caller.
    pub readers: Vec<GroupName>,
    /// Days that recordings are kept.
    pub retention_days: u64,
}

impl PolicyTarget {
    /// Whether a member of `groups` may read results of other people's runs.
    #[must_use]
    pub fn is_read_by(&self, groups: &[GroupName]) -> bool {
        groups.iter().any(|g| self.readers.contains(g))
    }

    /// The part that decides.
    #[must_use]
    pub fn rules(&self) -> TargetRules {
        TargetRules {
            id: self.id.clone(),
            engine: self.engine,
            prod: self.prod,
            runners: self.runners.clone(),
            callers: self.callers.clone(),
            reviews: self.reviews.clone(),
            reviews_unchanged: self.reviews_unchanged,
            approvals: self.approvals.clone(),
            self_serve: self.self_serve.clone(),
            break_glass: self.break_glass.clone(),
            limits: self.limits,
            query: self.query,
            unmaskable: self.unmaskable(),
        }
    }
}

impl PolicyTarget {
    /// What its people and its engine ask of it.
    fn check(&self) -> Result<(), Problem> {
        if self.id.as_str().starts_with(GROUP_PREFIX) {
            return Err(field("id", format!("begins with {GROUP_PREFIX}, which names a group")));
        }
        unique("groups", self.groups.iter().map(TargetGroup::as_str))?;
        self.check_people()?;
        self.check_engine()
    }

    fn check_people(&self) -> Result<(), Problem> {
        quorum("reviews", &self.reviews)?;
        quorum("approvals", &self.approvals)?;
        match self.reviews_unchanged {
            Some(0) => return Err(field("reviews_unchanged", "is 0; a revision needs a review")),
            Some(n) if n > self.reviews.required => {
                let what = format!("is {n}, more than the {} reviews", self.reviews.required);
                return Err(field("reviews_unchanged", what));
            }
            _ => {}
        }
        if let Some(s) = &self.self_serve {
            nobody("self_serve.groups", &s.groups)?;
            positive("self_serve.runs_per_day", s.runs_per_day)?;
        }
        let Some(b) = &self.break_glass else { return Ok(()) };
        quorum("break_glass.approvals", &b.approvals)?;
        quorum("break_glass.after_review", &b.after_review)?;
        nobody("break_glass.groups", &b.groups)?;
        positive("break_glass.duration_s_max", b.duration_s_max)?;
        positive("break_glass.uses_max", b.uses_max)?;
        positive("break_glass.after_review_s", b.after_review_s)?;
        if b.after_review.required == 0 {
            return Err(field("break_glass.after_review.required", "is 0; somebody has to look"));
        }
        Ok(())
    }

    fn check_engine(&self) -> Result<(), Problem> {
        if self.identity.engine() != self.engine {
            let got = self.identity.engine();
            return Err(field("identity", format!("is of {got}, and `engine` is {}", self.engine)));
        }
        let TargetIdentity::Postgres(identity) = &self.identity else { return Ok(()) };
        identity.system()?;
        for (name, text) in [("database", &identity.database), ("role", &identity.role)] {
            if text.is_empty() || text.len() > POSTGRES_NAME_BYTES_MAX || text.contains('\0') {
                let what = format!("expected 1 to {POSTGRES_NAME_BYTES_MAX} bytes without NUL");
                return Err(field(format!("identity.postgres.{name}"), what));
            }
        }
        if self.lag_s_max.is_none() {
            let what = "a standby lags: write how many seconds are bearable, as `lag_s_max = 30`";
            return Err(field("lag_s_max", what));
        }
        if self.cost_max.is_none_or(|max| max == 0) {
            return Err(field("cost_max", "is null or 0; 10000000 stops what scans for minutes"));
        }
        let unqualified = |r: &&Read| r.schema_and_name().is_none();
        if let Some(read) = self.reads.iter().find(unqualified) {
            let got = domain::display::neutralise(&read.table);
            let what = format!("{got} names no schema; write it as schema.table");
            return Err(field("reads", what));
        }
        Ok(())
    }
}

/// Groups that each have to speak are among those that may.
fn quorum(at: &str, quorum: &Quorum) -> Result<(), Problem> {
    let at = format!("{at}.from_each");
    unique(&at, quorum.from_each.iter().map(AsRef::as_ref))?;
    match quorum.from_each.iter().find(|g| !quorum.groups.contains(g)) {
        Some(stray) => Err(field(at, format!("{stray} is not in `groups`"))),
        None => Ok(()),
    }
}

fn nobody(at: &str, groups: &[GroupName]) -> Result<(), Problem> {
    if groups.is_empty() {
        return Err(field(at, "is empty; name a group, or leave the whole out"));
    }
    Ok(())
}

fn positive(at: &str, n: u64) -> Result<(), Problem> {
    if n == 0 { Err(field(at, "is 0; leave the whole out")) } else { Ok(()) }
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
        if let Some(i) = self.runners.iter().position(|r| r.key.application().is_some()) {
            let what = "is on a security key; a runner signs while nobody is there to touch it";
            return Err(field(format!("runners.{i}.key"), what));
        }
        let keys: Vec<String> = self.runners.iter().map(|r| r.key.to_string()).collect();
        unique("runners.key", keys.iter().map(String::as_str))?;
        for (i, t) in self.targets.iter().enumerate() {
            t.check().map_err(|problem| problem.within(&format!("targets.{i}")))?;
            if let Some(r) = t.runners.iter().find(|r| self.runner(r).is_none()) {
                return Err(field(
                    format!("targets.{i}.runners"),
                    format!("{r} is not in `runners`"),
                ));
            }
            unique(&format!("targets.{i}.reads"), t.reads.iter().map(|r| r.table.as_str()))?;
            masking::check(t).map_err(|problem| problem.within(&format!("targets.{i}")))?;
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
