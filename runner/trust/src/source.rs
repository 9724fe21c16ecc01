//! The source that people edit, `policy/targets.toml`, `directory.toml` and `keyring.toml`, turned into
//! payloads and back.
//!
//! Only here do defaults exist: a missing limit is the finite default of [`domain::limits`], a
//! missing list is empty, a missing `prod` is true. The signed payload writes everything out.

mod keyring;
mod masking;
mod text;

pub use keyring::keyring;
pub use text::{of_directory, of_keyring, of_policy};

use domain::decide::{BreakGlassRules, Quorum, SelfServeRules};
use domain::manifest::Engine;
use domain::{
    Digest, DirectoryId, GroupName, Limits, PersonId, PolicyId, QueryLimits, RunnerName,
    TargetGroup, TargetId, Timestamp,
};
use serde::Deserialize;

use crate::document::{Document, Full, Header, Problem, VersionRef};
use crate::documents::{
    Directory, KeyStatus, Person, PersonKey, PersonKind, Policy, PolicyRunner, PolicyScript,
    PolicyTarget, Read, RowFilter, TargetIdentity,
};
use crate::key::PublicKey;

/// Milliseconds of one statement where the source says nothing: an index lookup takes a few.
pub const STATEMENT_MS_DEFAULT: u64 = 5_000;
/// What PostgreSQL's planner may expect a query to cost where the source says nothing: reading some
/// hundred gigabytes, or joining everything with everything, is more.
pub const COST_DEFAULT: u64 = 10_000_000;
/// Days that recordings are kept where the source says nothing: one incident review cycle.
pub const RETENTION_DAYS_DEFAULT: u64 = 30;

/// Seconds of an emergency's grant where the source says nothing: one incident's first hour.
pub const BREAK_GLASS_S_DEFAULT: u64 = 3_600;
/// Uses of an emergency's grant where the source says nothing: look, look again, make sure.
pub const BREAK_GLASS_USES_DEFAULT: u64 = 3;
/// Seconds until somebody has looked at it where the source says nothing: the next working day, also
/// after a weekend.
pub const AFTER_REVIEW_S_DEFAULT: u64 = 3 * 24 * 3_600;

/// Why a source file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not TOML, an unknown key, a wrong type; the parser's words say where.
    #[error("{file}: {what}")]
    Syntax {
        /// The file's usual name.
        file: &'static str,
        /// What is wrong.
        what: String,
    },
    /// Well-formed, but no valid document.
    #[error("{file}: {problem}")]
    Invalid {
        /// The file's usual name.
        file: &'static str,
        /// What is wrong.
        problem: Problem,
    },
}

/// What signing adds to a source file.
#[derive(Debug, Clone)]
pub struct Issue<I> {
    /// The header.
    pub header: Header<I>,
    /// From 1.
    pub version: u64,
    /// The digest of the previous version's payload.
    pub previous: Option<Digest>,
    /// The keyring whose roles will sign.
    pub keyring: VersionRef,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    #[serde(default, rename = "target")]
    targets: Vec<RawTarget>,
    #[serde(default, rename = "runner")]
    runners: Vec<PolicyRunner>,
    #[serde(default, rename = "script")]
    scripts: Vec<PolicyScript>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    id: TargetId,
    engine: Engine,
    prod: Option<bool>,
    #[serde(default)]
    groups: Vec<TargetGroup>,
    identity: TargetIdentity,
    #[serde(default)]
    runners: Vec<RunnerName>,
    #[serde(default)]
    callers: Vec<GroupName>,
    #[serde(default)]
    reviews: RawQuorum,
    #[serde(default)]
    approvals: RawQuorum,
    reviews_unchanged: Option<u32>,
    self_serve: Option<SelfServeRules>,
    break_glass: Option<RawBreakGlass>,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    query: RawQueryLimits,
    #[serde(default)]
    reads: Vec<Read>,
    #[serde(default, rename = "mask")]
    masks: Vec<masking::RawMask>,
    #[serde(default, rename = "row_filter")]
    row_filters: Vec<RowFilter>,
    statement_ms_max: Option<u64>,
    cost_max: Option<u64>,
    #[serde(default)]
    recursion: bool,
    lag_s_max: Option<u64>,
    #[serde(default)]
    readers: Vec<GroupName>,
    retention_days: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawQuorum {
    required: Option<u32>,
    #[serde(default)]
    groups: Vec<GroupName>,
    #[serde(default)]
    from_each: Vec<GroupName>,
}

impl From<RawQuorum> for Quorum {
    fn from(raw: RawQuorum) -> Self {
        Self { required: raw.required.unwrap_or(1), groups: raw.groups, from_each: raw.from_each }
    }
}

/// Whoever writes `break_glass` says who, how long and who looks; the rest has careful defaults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBreakGlass {
    #[serde(default)]
    approvals: RawQuorum,
    groups: Vec<GroupName>,
    duration_s_max: Option<u64>,
    uses_max: Option<u64>,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    query: RawQueryLimits,
    after_review_s: Option<u64>,
    after_review: RawQuorum,
}

impl From<RawBreakGlass> for BreakGlassRules {
    fn from(raw: RawBreakGlass) -> Self {
        Self {
            approvals: raw.approvals.into(),
            groups: raw.groups,
            duration_s_max: raw.duration_s_max.unwrap_or(BREAK_GLASS_S_DEFAULT),
            uses_max: raw.uses_max.unwrap_or(BREAK_GLASS_USES_DEFAULT),
            limits: raw.limits.into(),
            query: raw.query.into(),
            after_review_s: raw.after_review_s.unwrap_or(AFTER_REVIEW_S_DEFAULT),
            after_review: raw.after_review.into(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    fuel_max: Option<u64>,
    memory_bytes_max: Option<u64>,
    wall_ms_max: Option<u64>,
    output_bytes_max: Option<u64>,
    host_calls_max: Option<u64>,
}

impl From<RawLimits> for Limits {
    fn from(raw: RawLimits) -> Self {
        let d = Self::DEFAULT;
        Self {
            fuel_max: raw.fuel_max.unwrap_or(d.fuel_max),
            memory_bytes_max: raw.memory_bytes_max.unwrap_or(d.memory_bytes_max),
            wall_ms_max: raw.wall_ms_max.unwrap_or(d.wall_ms_max),
            output_bytes_max: raw.output_bytes_max.unwrap_or(d.output_bytes_max),
            host_calls_max: raw.host_calls_max.unwrap_or(d.host_calls_max),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawQueryLimits {
    calls_max: Option<u64>,
    rows_total_max: Option<u64>,
    bytes_total_max: Option<u64>,
}

impl From<RawQueryLimits> for QueryLimits {
    fn from(raw: RawQueryLimits) -> Self {
        let d = Self::DEFAULT;
        Self {
            calls_max: raw.calls_max.unwrap_or(d.calls_max),
            rows_total_max: raw.rows_total_max.unwrap_or(d.rows_total_max),
            bytes_total_max: raw.bytes_total_max.unwrap_or(d.bytes_total_max),
        }
    }
}

impl RawTarget {
    /// The target, with what is hidden of its tables.
    fn target(self) -> Result<PolicyTarget, Problem> {
        let t = self;
        let (masks, denied) = masking::split(t.masks)?;
        Ok(PolicyTarget {
            id: t.id,
            engine: t.engine,
            prod: t.prod.unwrap_or(true),
            groups: t.groups,
            identity: t.identity,
            runners: t.runners,
            callers: t.callers,
            reviews: t.reviews.into(),
            reviews_unchanged: t.reviews_unchanged,
            approvals: t.approvals.into(),
            self_serve: t.self_serve,
            break_glass: t.break_glass.map(Into::into),
            limits: t.limits.into(),
            query: t.query.into(),
            reads: masking::without(t.reads, &denied),
            denied,
            masks,
            row_filters: t.row_filters,
            recording: Full,
            statement_ms_max: t.statement_ms_max.unwrap_or(STATEMENT_MS_DEFAULT),
            cost_max: t.cost_max.or((t.engine == Engine::Postgres).then_some(COST_DEFAULT)),
            recursion: t.recursion,
            lag_s_max: t.lag_s_max,
            readers: t.readers,
            retention_days: t.retention_days.unwrap_or(RETENTION_DAYS_DEFAULT),
        })
    }
}

/// The policy that `policy/targets.toml` describes.
///
/// # Errors
/// Says what is wrong and where.
pub fn policy(text: &str, issue: Issue<PolicyId>) -> Result<Policy, SourceError> {
    const FILE: &str = "policy/targets.toml";
    let raw: RawPolicy = parse(FILE, text)?;
    let mut targets = Vec::with_capacity(raw.targets.len());
    for (i, target) in raw.targets.into_iter().enumerate() {
        let target = target.target().map_err(|problem| problem.within(&format!("target.{i}")));
        targets.push(target.map_err(|problem| SourceError::Invalid { file: FILE, problem })?);
    }
    let doc = Policy {
        header: issue.header,
        version: issue.version,
        previous: issue.previous,
        keyring: issue.keyring,
        targets,
        runners: raw.runners,
        scripts: raw.scripts,
    };
    checked(FILE, doc)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDirectory {
    #[serde(default, rename = "person")]
    people: Vec<RawPerson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerson {
    id: PersonId,
    name: String,
    kind: PersonKind,
    owner: Option<PersonId>,
    #[serde(default, rename = "key")]
    keys: Vec<RawKey>,
    #[serde(default)]
    groups: Vec<GroupName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    /// A line of a `.pub` file; a comment is dropped.
    key: String,
    status: KeyStatus,
    since: Option<Timestamp>,
}

/// The directory that `directory.toml` describes.
///
/// # Errors
/// Says what is wrong and where.
pub fn directory(text: &str, issue: Issue<DirectoryId>) -> Result<Directory, SourceError> {
    const FILE: &str = "directory.toml";
    let raw: RawDirectory = parse(FILE, text)?;
    let mut people = Vec::with_capacity(raw.people.len());
    for p in raw.people {
        let mut keys = Vec::with_capacity(p.keys.len());
        for k in p.keys {
            let key = PublicKey::parse_line(&k.key).map_err(|e| SourceError::Syntax {
                file: FILE,
                what: format!("a key of {}: {e}", p.id),
            })?;
            keys.push(PersonKey { key, status: k.status, since: k.since });
        }
        let (id, name, kind) = (p.id, p.name, p.kind);
        people.push(Person { id, name, kind, owner: p.owner, keys, groups: p.groups });
    }
    let Issue { header, version, previous, keyring } = issue;
    checked(FILE, Directory { header, version, previous, keyring, people })
}

fn parse<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, SourceError> {
    toml::from_str(text).map_err(|e| SourceError::Syntax {
        file,
        what: domain::display::neutralise_block(&e.to_string()),
    })
}

fn checked<D: Document>(file: &'static str, doc: D) -> Result<D, SourceError> {
    match doc.check() {
        Ok(()) => Ok(doc),
        Err(problem) => Err(SourceError::Invalid { file, problem }),
    }
}

#[cfg(test)]
mod tests;
