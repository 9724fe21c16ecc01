//! The earlier revision that may stand in for some of the reviews, where policy asks for fewer when
//! nothing but the component has changed.

use std::collections::BTreeSet;

use domain::bundle::{INDEX_PATH, MANIFEST_PATH};
use domain::decide::difference;
use domain::{BundleIndex, Digest, Manifest, Pair};
use trust::{Authority, BaseDocuments, Document, Envelope, Review, Submission};

use super::split;
use crate::bundle::Bundle;
use crate::exit::Failure;
use crate::session::{Session, path};

/// Earlier revisions that are looked at, newest first.
const LOOKED_AT_MAX: usize = 16;

/// The newest other revision of the script that differs in nothing else and has reviews.
pub(super) async fn find(
    session: &Session,
    authority: &Authority,
    bundle: &Bundle,
    pairs: &[Pair],
    stopped: &BTreeSet<String>,
) -> anyhow::Result<Option<BaseDocuments>> {
    let helps =
        |p: &Pair| authority.target(&p.target).is_some_and(|t| t.reviews_unchanged.is_some());
    if !pairs.iter().any(helps) {
        return Ok(None);
    }
    let all = session.client.scripts().await?;
    let others =
        all.iter().filter(|s| s.script == bundle.manifest.name && s.revision != bundle.revision);
    for other in others.take(LOOKED_AT_MAX) {
        let (text, index) = index(session, &other.revision).await?;
        let manifest_text = manifest(session, &other.revision, &index).await?;
        let Ok(earlier) = Manifest::parse(manifest_text.as_bytes()) else { continue };
        if difference((&index, &earlier), (&bundle.index, &bundle.manifest)).is_some() {
            continue;
        }
        let said = session.client.revision(&other.revision).await?.documents;
        let (submissions, reviews) = split(&said)?;
        let base = BaseDocuments {
            bundle: text,
            manifest: manifest_text,
            submissions: usable::<Submission>(session, authority, submissions, stopped),
            reviews: usable::<Review>(session, authority, reviews, stopped),
        };
        if !base.submissions.is_empty() && !base.reviews.is_empty() {
            return Ok(Some(base));
        }
    }
    Ok(None)
}

/// Those that verify and are valid now: a wrong one would spoil the others.
fn usable<D: Document>(
    session: &Session,
    authority: &Authority,
    envelopes: Vec<Envelope>,
    stopped: &BTreeSet<String>,
) -> Vec<Envelope> {
    let now = session.world.now();
    let is_usable = |e: &Envelope| {
        authority.verify::<D>(e, stopped).is_ok_and(|v| v.doc().window().contains(now))
    };
    envelopes.into_iter().filter(is_usable).collect()
}

pub(super) async fn index(
    session: &Session,
    revision: &Digest,
) -> anyhow::Result<(String, BundleIndex)> {
    let bytes = session.client.file(revision, &path(INDEX_PATH)?).await?;
    if Digest::of(&bytes) != *revision {
        return Err(other(INDEX_PATH, revision).into());
    }
    let index = BundleIndex::parse(&bytes)?;
    Ok((String::from_utf8(bytes)?, index))
}

pub(super) async fn manifest(
    session: &Session,
    revision: &Digest,
    index: &BundleIndex,
) -> anyhow::Result<String> {
    let bytes = session.client.file(revision, &path(MANIFEST_PATH)?).await?;
    if index.get(MANIFEST_PATH) != Some(&Digest::of(&bytes)) {
        return Err(other(MANIFEST_PATH, revision).into());
    }
    Ok(String::from_utf8(bytes)?)
}

fn other(path: &str, revision: &Digest) -> Failure {
    Failure::evidence(
        format!("the server's {path} of {revision} has another digest"),
        "the server is broken or lies; sign nothing",
    )
}
