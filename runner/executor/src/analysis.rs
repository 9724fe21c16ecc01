//! What a revision's queries come to on a target: the same function for whoever reviews them and signs
//! its digest, and for the runner that holds them to it.
//!
//! The catalog's part is compared where it can be, in each query's transaction (crate `targets`); the
//! policy's part, which the transaction cannot know, here, before anything is spent.

use std::collections::BTreeMap;

use domain::analysis::{Catalog, Filtered, Masked};
use domain::manifest::{Engine, Query};
use domain::{
    Analysis, Decision, Denial, LogicalTarget, Manifest, Pair, QueryAnalysis, QueryName, Rule,
};
use targets::postgres::gate::gate;
use targets::{TargetError, postgres, sqlite};
use trust::{Authority, PolicyTarget};

use crate::bundle::fetch;
use crate::ports::{GrantError, postgres_grant, sqlite_reads};
use crate::runner::Inner;
use crate::verify::chain;

/// A query that the gate refuses for this target, in its words. It is in no analysis and never runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub query: QueryName,
    /// Why.
    pub why: String,
}

/// What the queries for `logical` come to on `target`, by a catalog of it, and those that the gate
/// refuses there. Pure; `texts` has the text of each query.
///
/// # Errors
/// When the policy's part about the target cannot be used.
pub fn analyse(
    target: &PolicyTarget,
    logical: &LogicalTarget,
    manifest: &Manifest,
    texts: &BTreeMap<QueryName, String>,
    catalog: &Catalog,
) -> Result<(Analysis, Vec<Refused>), GrantError> {
    let (mut queries, mut refused) = (Vec::new(), Vec::new());
    for query in manifest.queries.iter().filter(|q| q.target == *logical) {
        let text = texts.get(&query.name).map_or("", String::as_str);
        match read(target, query, text, catalog)? {
            Ok(analysis) => queries.push(with_policy(target, analysis)),
            Err(why) => refused.push(Refused { query: query.name.clone(), why }),
        }
    }
    queries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((Analysis { queries }, refused))
}

/// One query; the inner error is the gate's.
fn read(
    target: &PolicyTarget,
    query: &Query,
    text: &str,
    catalog: &Catalog,
) -> Result<Result<QueryAnalysis, String>, GrantError> {
    let (name, unmasked) = (query.name.clone(), Default::default());
    Ok(match target.engine {
        Engine::Postgres => {
            let params: Vec<_> = query.params.iter().map(|p| p.param_type).collect();
            let grant = postgres_grant(target)?;
            let gated = gate(text, &params, &grant).map_err(|e| e.to_string());
            gated.map(|gated| postgres::analyse(name, &gated, catalog))
        }
        Engine::Sqlite => {
            let reads = sqlite_reads(target, &unmasked)?;
            let read = sqlite::reads(text, query.params.len(), &reads, target.recursion)
                .map_err(|e| e.to_string());
            read.map(|read| sqlite::analyse(name, &read, catalog))
        }
    })
}

/// With the masks and row filters of policy on what it reads.
fn with_policy(target: &PolicyTarget, analysis: QueryAnalysis) -> QueryAnalysis {
    // SQLite's names are the same in capitals.
    let is = |a: &str, b: &str| match target.engine {
        Engine::Sqlite => a.eq_ignore_ascii_case(b),
        Engine::Postgres => a == b,
    };
    let reads = |table: &str, column: Option<&str>| {
        let mut named = analysis.catalog.relations.iter().filter(|r| is(&r.name, table));
        named.any(|r| column.is_none_or(|column| r.columns.iter().any(|c| is(&c.name, column))))
    };
    let masks = target.masks.iter().filter(|m| reads(&m.table, Some(&m.column)));
    let mut masks: Vec<Masked> =
        masks.filter_map(|m| Some(Masked { column: m.path()?, mask: m.mask.clone() })).collect();
    masks.sort_by(|a, b| a.column.cmp(&b.column));
    let filters = target.row_filters.iter().filter(|f| reads(&f.table, None));
    let mut filters: Vec<Filtered> =
        filters.map(|f| Filtered { table: f.table.clone(), filter: f.filter.clone() }).collect();
    filters.sort_by(|a, b| a.table.cmp(&b.table));
    QueryAnalysis { masks, filters, ..analysis }
}

impl Inner {
    /// What the reviewers of a run saw, by pair, if policy still says what it said then.
    pub(crate) async fn analyses(
        &self,
        decision: &Decision,
        authority: &Authority,
    ) -> Result<BTreeMap<Pair, Analysis>, Denial> {
        let mut analyses = BTreeMap::new();
        for pair in decision.effective.pairs.keys() {
            let differs = |fact: String| {
                let help = "have it reviewed again, as it is now";
                Denial::new(Rule::AnalysisDiffers, format!("{pair}: {fact}"), help)
            };
            let digest = decision.analyses.get(pair);
            let digest = digest.ok_or_else(|| differs("no reviewer saw an analysis".to_owned()))?;
            let bytes = fetch(&*self.blobs, "the analysis that reviewers saw", digest).await;
            let bytes = bytes.map_err(|e| differs(chain(&e)))?;
            let analysis = Analysis::parse(&bytes).map_err(|e| differs(e.to_string()))?;
            let target = authority.target(&pair.target);
            let target =
                target.ok_or_else(|| differs("the policy has no such target".to_owned()))?;
            let changes = policy_changes(target, &analysis);
            if !changes.is_empty() {
                return Err(differs(format!(
                    "policy is another one than reviewers saw: {}",
                    changes.join("; ")
                )));
            }
            analyses.insert(pair.clone(), analysis);
        }
        Ok(analyses)
    }
}

/// What policy says otherwise of what an analysis reads.
fn policy_changes(target: &PolicyTarget, analysis: &Analysis) -> Vec<String> {
    let of = |seen: &QueryAnalysis| {
        let now = with_policy(target, seen.clone());
        seen.policy_differences(&now)
    };
    let mut changes: Vec<String> = analysis.queries.iter().flat_map(of).collect();
    changes.dedup();
    changes
}

/// What reviewers saw of a query; one that they saw nothing of does not run.
pub(crate) fn seen<'a>(
    analyses: &'a BTreeMap<Pair, Analysis>,
    pair: &Pair,
    query: &QueryName,
) -> Result<&'a QueryAnalysis, TargetError> {
    analyses.get(pair).and_then(|a| a.query(query)).ok_or_else(|| {
        let nothing = "the reviewers saw no analysis of this query on this target".to_owned();
        TargetError::Drift { differences: vec![nothing] }
    })
}
