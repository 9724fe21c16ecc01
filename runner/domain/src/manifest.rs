//! `script.toml`: what a script is and what it asks for.
//!
//! Unknown keys are errors; a missing limit is the finite default of [`crate::limits`]; a missing
//! list is empty. How parameters get their values is in [`params`].

pub mod params;

mod unmask;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::bundle::BundlePath;
use crate::capability::{Capabilities, OnPair, Pair};
use crate::limits::{Limits, QueryLimits};
use crate::mask::ColumnPath;
use crate::names::{LogicalTarget, ParamName, QueryName, ScriptName, ScriptVersion};
use crate::value::ParamType;

/// Queries of one script: more than a reviewer reads.
pub const QUERIES_MAX: usize = 32;
/// Parameters of one query.
pub const PARAMS_MAX: usize = 32;

/// A manifest that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The script's name.
    pub name: ScriptName,
    /// Its version.
    pub version: ScriptVersion,
    /// One line for lists.
    pub summary: String,
    /// The input schema's path, if the script takes input.
    pub input: Option<BundlePath>,
    /// Logical targets with their engines; at least one.
    pub targets: BTreeMap<LogicalTarget, Engine>,
    /// Masked columns that it asks to read raw, by logical target.
    pub unmask: BTreeMap<LogicalTarget, BTreeSet<ColumnPath>>,
    /// Queries, in the order written.
    pub queries: Vec<Query>,
    /// Limits of the run.
    pub limits: Limits,
}

/// A kind of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// A SQLite file.
    Sqlite,
    /// A PostgreSQL database on a streaming standby.
    Postgres,
}

impl Engine {
    /// Every engine.
    pub const ALL: &[Self] = &[Self::Sqlite, Self::Postgres];

    /// Its name, as `script.toml` and the policy write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|engine| engine.as_str() == name)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reviewed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its label; what `open` takes.
    pub name: QueryName,
    /// Where it runs.
    pub target: LogicalTarget,
    /// Its text.
    pub file: BundlePath,
    /// `$1`, `$2` … in order.
    pub params: Vec<Param>,
    /// Its limits.
    pub limits: QueryLimits,
}

/// One parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its name; what the script passes.
    pub name: ParamName,
    /// Its type.
    pub param_type: ParamType,
    /// A JSON pointer (RFC 6901) into the approved input; then the host fills it and the script may
    /// not pass it. `None`: chosen by the script.
    pub from: Option<String>,
    /// Whether a pointer that finds nothing gives NULL instead of a refusal.
    pub optional: bool,
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, an unknown key, a wrong type; the parser's words say where.
    #[error("script.toml: {0}")]
    Syntax(String),
    /// Well-formed, but wrong.
    #[error("script.toml, {place}: {problem}")]
    Invalid {
        /// The table or key.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

fn invalid(place: impl Into<String>, problem: impl Into<String>) -> ManifestError {
    ManifestError::Invalid { place: place.into(), problem: problem.into() }
}

impl Manifest {
    /// Parses and checks the bytes of `script.toml`.
    ///
    /// # Errors
    /// Says what is wrong, where, and what would be accepted.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|e| ManifestError::Syntax(format!("not UTF-8 at byte {}", e.valid_up_to())))?;
        let raw: RawManifest = toml::from_str(text)
            .map_err(|e| ManifestError::Syntax(crate::display::neutralise_block(&e.to_string())))?;
        raw.check()
    }

    /// The query with this label.
    #[must_use]
    pub fn query(&self, name: &QueryName) -> Option<&Query> {
        self.queries.iter().find(|q| q.name == *name)
    }

    /// What the script asks for, with its logical targets bound to real ones.
    #[must_use]
    pub fn asks(&self, pairs: &[Pair]) -> Capabilities {
        let of = |pair: &Pair| {
            let mine = self.queries.iter().filter(|q| q.target == pair.logical);
            let queries = mine.map(|q| (q.name.clone(), q.limits.meet(&QueryLimits::CEILING)));
            let unmasked = self.unmask.get(&pair.logical).cloned().unwrap_or_default();
            OnPair { queries: queries.collect(), unmasked }
        };
        Capabilities {
            pairs: pairs.iter().map(|p| (p.clone(), of(p))).collect(),
            limits: self.limits.meet(&Limits::CEILING),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    script: RawScript,
    #[serde(default)]
    targets: BTreeMap<LogicalTarget, RawTarget>,
    #[serde(default)]
    query: Vec<RawQuery>,
    #[serde(default)]
    limits: RawLimits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript {
    name: ScriptName,
    version: ScriptVersion,
    summary: String,
    input: Option<BundlePath>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    engine: String,
    #[serde(default)]
    unmask: Vec<ColumnPath>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuery {
    name: QueryName,
    target: LogicalTarget,
    file: BundlePath,
    #[serde(default)]
    params: Vec<RawParam>,
    calls_max: Option<u64>,
    rows_total_max: Option<u64>,
    bytes_total_max: Option<Quantity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParam {
    name: ParamName,
    #[serde(rename = "type")]
    param_type: ParamType,
    from: Option<String>,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    fuel: Option<u64>,
    memory: Option<Quantity>,
    wall: Option<Quantity>,
    output: Option<Quantity>,
    host_calls: Option<u64>,
}

/// `"64MiB"`, `"30s"`: digits and a unit.
#[derive(Deserialize)]
struct Quantity(String);

impl Quantity {
    fn scaled(&self, place: &str, units: &[(&str, u64)]) -> Result<u64, ManifestError> {
        let split = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, unit) = self.0.split_at(split);
        let scale = units.iter().find(|(u, _)| *u == unit).map(|(_, scale)| *scale);
        let value = digits.parse::<u64>().ok().zip(scale).and_then(|(n, s)| n.checked_mul(s));
        value.ok_or_else(|| {
            let names: Vec<&str> = units.iter().map(|(u, _)| *u).collect();
            invalid(place, format!("expected a whole number and one of {}", names.join(", ")))
        })
    }

    fn bytes(&self, place: &str) -> Result<u64, ManifestError> {
        self.scaled(place, &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20)])
    }

    fn millis(&self, place: &str) -> Result<u64, ManifestError> {
        self.scaled(place, &[("ms", 1), ("s", 1000), ("min", 60_000)])
    }
}

impl RawManifest {
    fn check(self) -> Result<Manifest, ManifestError> {
        let summary = self.script.summary;
        if summary.is_empty() || summary.len() > 200 || summary.contains('\n') {
            return Err(invalid("script.summary", "expected one line of 1 to 200 bytes"));
        }
        if let Some(path) = self.script.input.as_ref().filter(|p| p.as_str() != "input.schema.json")
        {
            return Err(invalid(
                "script.input",
                format!("is {path}; the only name is input.schema.json"),
            ));
        }
        if self.targets.is_empty() {
            return Err(invalid("targets", "a script needs at least one [targets.NAME]"));
        }
        let (mut targets, mut unmask) = (BTreeMap::new(), BTreeMap::new());
        for (name, target) in self.targets {
            let columns = unmask::columns(&name, &target.unmask)?;
            if !columns.is_empty() {
                unmask.insert(name.clone(), columns);
            }
            let engine = Engine::named(&target.engine).ok_or_else(|| {
                let place = format!("targets.{name}.engine");
                let known: Vec<_> = Engine::ALL.iter().map(|e| format!("\"{e}\"")).collect();
                let problem = format!(
                    "\"{}\" is not supported yet; use {}",
                    crate::display::neutralise(&target.engine),
                    known.join(" or ")
                );
                invalid(place, problem)
            })?;
            targets.insert(name, engine);
        }
        if self.query.len() > QUERIES_MAX {
            return Err(invalid("query", format!("at most {QUERIES_MAX} queries are allowed")));
        }
        let mut queries: Vec<Query> = Vec::new();
        for raw in self.query {
            let query = raw.check(&targets, self.script.input.is_some())?;
            if queries.iter().any(|q| q.name == query.name) {
                return Err(invalid(format!("query {}", query.name), "is defined twice"));
            }
            queries.push(query);
        }
        Ok(Manifest {
            name: self.script.name,
            version: self.script.version,
            summary,
            input: self.script.input,
            targets,
            unmask,
            queries,
            limits: self.limits.check()?,
        })
    }
}

impl RawQuery {
    fn check(
        self,
        targets: &BTreeMap<LogicalTarget, Engine>,
        has_input: bool,
    ) -> Result<Query, ManifestError> {
        let place = format!("query {}", self.name);
        if !targets.contains_key(&self.target) {
            return Err(invalid(place, format!("target {} has no [targets.{0}]", self.target)));
        }
        if !self.file.as_str().starts_with("queries/") || !self.file.is_allowed() {
            return Err(invalid(place, format!("file {} is not queries/NAME.sql", self.file)));
        }
        if self.params.len() > PARAMS_MAX {
            return Err(invalid(place, format!("at most {PARAMS_MAX} parameters are allowed")));
        }
        let mut params: Vec<Param> = Vec::new();
        for p in self.params {
            let place = format!("{place}, parameter {}", p.name);
            if params.iter().any(|q| q.name == p.name) {
                return Err(invalid(place, "is defined twice"));
            }
            if p.optional && p.from.is_none() {
                return Err(invalid(
                    place,
                    "`optional` goes with `from`; a script always passes its own parameters",
                ));
            }
            if p.from.as_ref().is_some_and(|from| !from.starts_with('/')) {
                return Err(invalid(place, "`from` is a JSON pointer and starts with /"));
            }
            if p.from.is_some() && !has_input {
                return Err(invalid(
                    place,
                    "`from` needs an input; set script.input = \"input.schema.json\"",
                ));
            }
            params.push(Param {
                name: p.name,
                param_type: p.param_type,
                from: p.from,
                optional: p.optional,
            });
        }
        let d = QueryLimits::DEFAULT;
        let bytes = self
            .bytes_total_max
            .map(|q| q.bytes(&format!("{place}, bytes_total_max")))
            .transpose()?;
        Ok(Query {
            name: self.name,
            target: self.target,
            file: self.file,
            params,
            limits: QueryLimits {
                calls_max: self.calls_max.unwrap_or(d.calls_max),
                rows_total_max: self.rows_total_max.unwrap_or(d.rows_total_max),
                bytes_total_max: bytes.unwrap_or(d.bytes_total_max),
            },
        })
    }
}

impl RawLimits {
    fn check(self) -> Result<Limits, ManifestError> {
        let d = Limits::DEFAULT;
        let bytes =
            |q: Option<Quantity>, place: &str, default| q.map_or(Ok(default), |q| q.bytes(place));
        let limits = Limits {
            fuel_max: self.fuel.unwrap_or(d.fuel_max),
            memory_bytes_max: bytes(self.memory, "limits.memory", d.memory_bytes_max)?,
            wall_ms_max: self.wall.map_or(Ok(d.wall_ms_max), |q| q.millis("limits.wall"))?,
            output_bytes_max: bytes(self.output, "limits.output", d.output_bytes_max)?,
            host_calls_max: self.host_calls.unwrap_or(d.host_calls_max),
        };
        if limits.within(&Limits::CEILING) {
            Ok(limits)
        } else {
            Err(invalid("limits", format!("above what any run may have: {:?}", Limits::CEILING)))
        }
    }
}

#[cfg(test)]
mod tests;
