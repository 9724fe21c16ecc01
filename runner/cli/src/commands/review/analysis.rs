//! What a revision's queries come to on each target, by the target's catalog as it is now. The reviewer
//! signs its digest, and the runner holds every query to it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use api::types::DocumentView;
use domain::analysis::{AnalysisRef, Catalog, RelationShape};
use domain::decide::Verdict;
use domain::{Analysis, Pair, QueryName, Scope, TargetId};
use executor::analysis::{Refused, analyse};
use trust::{Authority, Review};

use crate::bundle::Bundle;
use crate::out::Out;
use crate::session::{Session, hashed, verified};
use crate::view::count;

/// The analysis of one pair.
pub(crate) struct Seen {
    pub(crate) pair: Pair,
    pub(crate) analysis: Analysis,
    /// Queries that never run there.
    pub(crate) refused: Vec<Refused>,
}

impl Seen {
    /// As the review names it.
    pub(crate) fn reference(&self) -> AnalysisRef {
        let Pair { logical, target } = self.pair.clone();
        AnalysisRef { logical, target, digest: self.analysis.digest() }
    }

    /// Fetches the catalogs of a ceiling's targets and analyses the bundle's queries.
    pub(crate) async fn all(
        session: &Session,
        authority: &Authority,
        bundle: &Bundle,
        ceiling: &Scope,
    ) -> anyhow::Result<Vec<Self>> {
        let texts = texts(bundle);
        let mut catalogs: BTreeMap<TargetId, Catalog> = BTreeMap::new();
        let mut all = Vec::new();
        for pair in ceiling.pairs() {
            let policy = authority.target(&pair.target).with_context(|| {
                format!("the policy has no target {}; leave it out", pair.target)
            })?;
            let asks = bundle.manifest.queries.iter().any(|q| q.target == pair.logical);
            if asks && !catalogs.contains_key(&pair.target) {
                catalogs.insert(pair.target.clone(), catalog(session, &pair.target).await?);
            }
            let nothing = Catalog::default();
            let catalog = catalogs.get(&pair.target).unwrap_or(&nothing);
            let (analysis, refused) =
                analyse(policy, &pair.logical, &bundle.manifest, &texts, catalog)?;
            all.push(Self { pair, analysis, refused });
        }
        Ok(all)
    }

    /// Keeps it at the server, where the runner finds it.
    pub(crate) async fn store(&self, session: &Session) -> anyhow::Result<()> {
        session.client.store_analysis(self.analysis.to_bytes()).await?;
        Ok(())
    }

    /// Shows it to whoever is about to sign it.
    pub(crate) fn show(&self, out: Out) -> std::io::Result<()> {
        let digest = self.analysis.digest();
        out.line(format!("on {}, as its catalog is now ({}):", self.pair, digest.short()))?;
        for query in &self.analysis.queries {
            let functions = query.catalog.functions.len();
            let functions = if functions == 0 {
                String::new()
            } else {
                format!(", and calls {}", count(functions as u64, "function"))
            };
            let reads: Vec<String> = query.catalog.relations.iter().map(relation).collect();
            let reads = if reads.is_empty() { "no table".to_owned() } else { reads.join("; ") };
            out.field(&format!("  {} reads ", query.name), &format!("{reads}{functions}"))?;
        }
        for refused in &self.refused {
            out.field(&format!("  {} never runs there: ", refused.query), &refused.why)?;
        }
        Ok(())
    }
}

/// `orders (id INTEGER, state TEXT)`; names and types are the database's words.
fn relation(shape: &RelationShape) -> String {
    let columns = shape.columns.iter().map(|c| {
        let made = if c.definition.is_some() { ", somebody's own type" } else { "" };
        format!("{} {}{made}", c.name, c.db_type)
    });
    let columns: Vec<String> = columns.collect();
    format!("{} ({})", shape.name, columns.join(", "))
}

async fn catalog(session: &Session, target: &TargetId) -> anyhow::Result<Catalog> {
    let bytes = session.client.catalog(target).await.with_context(|| {
        format!(
            "nothing was signed: an approval says what the queries come to, and the catalog of {target} \
             cannot be read now; wait, or leave it out with --target"
        )
    })?;
    serde_json::from_slice(&bytes).with_context(|| format!("the server's catalog of {target}"))
}

/// The text of each query. One that is not UTF-8 is none; the gate says so.
fn texts(bundle: &Bundle) -> BTreeMap<QueryName, String> {
    let text = |q: &domain::manifest::Query| Some((q.name.clone(), bundle.text(q.file.as_str())?));
    bundle.manifest.queries.iter().filter_map(text).collect()
}

/// What other approvals of the revision saw otherwise: they do not count together with this one.
pub(crate) async fn others(
    session: &Session,
    authority: &Authority,
    bundle: &Bundle,
    said: &[DocumentView],
    mine: &[Seen],
) -> Vec<String> {
    let reviews = said.iter().filter(|view| view.kind == "review");
    let reviews = reviews.filter_map(|view| verified::<Review>(authority, view).ok());
    let mut told = BTreeSet::new();
    for review in reviews {
        let review = review.doc();
        let counts = review.verdict == Verdict::Approve
            && review.revision == bundle.revision
            && review.reviewer != session.person
            && review.header.window().contains(session.world.now());
        for theirs in review.analysis.iter().filter(|_| counts) {
            let Some(seen) = mine.iter().find(|s| s.pair == theirs.pair()) else { continue };
            if seen.analysis.digest() == theirs.digest {
                continue;
            }
            let differences = differences(session, theirs, &seen.analysis).await;
            told.insert(format!(
                "{} approved it for {} as it was then, and that approval does not count together \
                 with yours: {differences}",
                review.reviewer,
                theirs.pair()
            ));
        }
    }
    told.into_iter().collect()
}

/// In words, as far as the server still has theirs.
async fn differences(session: &Session, theirs: &AnalysisRef, mine: &Analysis) -> String {
    let unknown = || "the server has no copy of what they saw".to_owned();
    let Ok(bytes) = session.client.analysis(&theirs.digest).await else { return unknown() };
    let Ok(bytes) = hashed(bytes, &theirs.digest) else { return unknown() };
    let Ok(then) = Analysis::parse(&bytes) else { return unknown() };
    let found = then.differences(mine);
    if found.is_empty() { "its queries read more now".to_owned() } else { found.join("; ") }
}
