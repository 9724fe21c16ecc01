//! Narrowing what is signed: whoever signs a scope may make it smaller, never larger.

use clap::Args;
use domain::capability::QueryScope;
use domain::display::neutralise;
use domain::{ColumnPath, QueryName, Scope, TargetScope};

use crate::exit::Failure;
use crate::view::{bytes, count, limits};
use crate::when;

/// Smaller limits than those that are shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Less than that")]
pub(crate) struct NarrowArgs {
    /// At most so much fuel
    #[arg(long, value_name = "N")]
    fuel: Option<u64>,
    /// At most so much memory, as 32MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// At most so long a run
    #[arg(long, value_name = "TIME", value_parser = when::duration_s)]
    wall: Option<u64>,
    /// At most so much output, as 1MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    output: Option<u64>,
    /// At most so many calls of host functions
    #[arg(long, value_name = "N")]
    host_calls: Option<u64>,
    /// At most so many rows of a query; repeat
    #[arg(long, value_name = "QUERY=N", value_parser = of_query)]
    rows: Vec<(QueryName, u64)>,
    /// At most so many calls of a query; repeat
    #[arg(long, value_name = "QUERY=N", value_parser = of_query)]
    calls: Vec<(QueryName, u64)>,
    /// Without this query; repeat
    #[arg(long, value_name = "QUERY")]
    without: Vec<QueryName>,
    /// With this column masked, though it is asked for raw; repeat
    #[arg(long, value_name = "TABLE.COLUMN")]
    masked: Vec<ColumnPath>,
}

fn of_query(text: &str) -> Result<(QueryName, u64), String> {
    let bad = || format!("\"{text}\" is not QUERY=N, as stuck=100");
    let (query, n) = text.split_once('=').ok_or_else(bad)?;
    let query: QueryName = query.parse().map_err(|e: domain::ParseError| e.to_string())?;
    Ok((query, n.parse().map_err(|_| bad())?))
}

/// Parses `4096`, `64KiB`, `32MiB` or `1GiB`.
fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("\"{text}\" is not a size: expected for example 4096, 64KiB or 32MiB");
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let unit = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
    let (digits, shift) = unit.unwrap_or((text, 0));
    let n: u64 = digits.parse().map_err(|_| bad())?;
    n.checked_mul(1 << shift).ok_or_else(bad)
}

impl NarrowArgs {
    /// The smaller scope.
    pub(crate) fn apply(&self, mut scope: Scope) -> Result<Scope, Failure> {
        let l = &mut scope.limits;
        let wall_ms = self.wall.map(|s| s.saturating_mul(1000));
        for (name, wanted, limit) in [
            ("--fuel", self.fuel, &mut l.fuel_max),
            ("--memory", self.memory, &mut l.memory_bytes_max),
            ("--wall", wall_ms, &mut l.wall_ms_max),
            ("--output", self.output, &mut l.output_bytes_max),
            ("--host-calls", self.host_calls, &mut l.host_calls_max),
        ] {
            lower(name, wanted, limit)?;
        }
        for (query, rows) in &self.rows {
            self.query(&mut scope, query, |q| lower("--rows", Some(*rows), &mut q.rows_total_max))?;
        }
        for (query, calls) in &self.calls {
            self.query(&mut scope, query, |q| lower("--calls", Some(*calls), &mut q.calls_max))?;
        }
        for query in &self.without {
            self.query(&mut scope, query, |_| Ok(()))?;
            for target in &mut scope.targets {
                target.queries.retain(|q| q.name != *query);
            }
        }
        for column in &self.masked {
            keep_masked(&mut scope, column)?;
        }
        Ok(scope)
    }

    fn query(
        &self,
        scope: &mut Scope,
        name: &QueryName,
        mut change: impl FnMut(&mut QueryScope) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let all = scope.targets.iter_mut().flat_map(|t| &mut t.queries);
        let mut all = all.filter(|q| q.name == *name).peekable();
        if all.peek().is_none() {
            return Err(Failure::usage(
                format!("there is no query {name} to narrow"),
                "the queries are shown by borescope show",
            ));
        }
        // It may be reached on several targets.
        all.try_for_each(&mut change)
    }
}

/// Puts a column's mask back, on every target.
fn keep_masked(scope: &mut Scope, column: &ColumnPath) -> Result<(), Failure> {
    let is_raw = scope.targets.iter().any(|t| t.unmasked.contains(column));
    if !is_raw {
        return Err(Failure::usage(
            format!("{} is masked already", neutralise(column.as_str())),
            "leave it out; what is asked for raw is shown with what is signed",
        ));
    }
    for target in &mut scope.targets {
        target.unmasked.retain(|c| c != column);
    }
    Ok(())
}

/// Lowers one limit. A wish for more is a mistake, not something to cut silently.
fn lower(name: &str, wanted: Option<u64>, limit: &mut u64) -> Result<(), Failure> {
    let Some(wanted) = wanted else { return Ok(()) };
    if wanted > *limit {
        return Err(Failure::usage(
            format!("{name} asks for {wanted}, and at most {limit} can be signed"),
            "everybody can only narrow; give a smaller number, or leave it out",
        ));
    }
    *limit = wanted;
    Ok(())
}

/// Which masked columns a scope lets be read raw, for people; each once.
pub(crate) fn raw_in_words(scope: &Scope) -> Option<String> {
    let of = |t: &TargetScope| {
        let names: Vec<String> = t.unmasked.iter().map(|c| neutralise(c.as_str())).collect();
        (!names.is_empty()).then(|| format!("{} on {}", names.join(", "), t.pair()))
    };
    let all: Vec<String> = scope.targets.iter().filter_map(of).collect();
    (!all.is_empty()).then(|| format!("RAW, WITHOUT THEIR MASKS: {}", all.join("; ")))
}

/// What a scope allows, for people: each query, what is raw, and the limits of the run.
pub(crate) fn in_words(scope: &Scope) -> String {
    let query = |q: &QueryScope| {
        format!(
            "{} ({}, {}, {})",
            q.name,
            count(q.calls_max, "call"),
            count(q.rows_total_max, "row"),
            bytes(q.bytes_total_max)
        )
    };
    let queries: Vec<String> =
        scope.targets.iter().flat_map(|t| t.queries.iter().map(query)).collect();
    let queries = if queries.is_empty() { "no query".to_owned() } else { queries.join(", ") };
    let raw = raw_in_words(scope).map_or_else(String::new, |raw| format!("{raw}; "));
    format!("{raw}{queries}; {}", limits(&scope.limits))
}

#[cfg(test)]
mod tests;
