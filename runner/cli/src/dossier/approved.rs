//! The revision of a script that reviewers approved last: what a reader of the next one compares it with.
//!
//! Which one that is follows from reviews that verify and count now, by the function that counts them in
//! the runner, and from the times that reviewers signed. A server can hide one, and then there is more to
//! read; it cannot name one that nobody approved.

use domain::decide::approving;
use domain::{BundleIndex, Capabilities, Digest, Manifest, Pair, PersonId, RunId, Timestamp};
use trust::{Authority, Local, OnFile, Wish};

use super::{earlier, is_about_it, split};
use crate::against::Against;
use crate::bundle::Bundle;
use crate::session::Session;

/// Revisions that are looked at, newest first.
const LOOKED_AT_MAX: usize = 16;

/// An approved revision.
pub(crate) struct Approved {
    /// Its files, hashed here.
    pub(crate) bundle: Bundle,
    /// What its reviewers let it do: what all their ceilings have in common.
    pub(crate) ceiling: Capabilities,
    /// Who approved it.
    pub(crate) by: Vec<PersonId>,
    /// When the last of them did.
    pub(crate) at: Timestamp,
}

/// What the reviews of one revision come to.
struct Read {
    revision: Digest,
    ceiling: Capabilities,
    by: Vec<PersonId>,
    at: Timestamp,
}

/// Of the script's other revisions the one that was approved last for these targets, as far as it knows
/// them.
pub(crate) async fn approved_before(
    session: &Session,
    authority: &Authority,
    against: &Against,
    bundle: &Bundle,
    pairs: &[Pair],
) -> anyhow::Result<Option<Approved>> {
    let name = &bundle.manifest.name;
    let mut others = session.client.scripts().await?;
    others.retain(|s| s.script == *name && s.revision != bundle.revision);
    others.sort_by_key(|s| std::cmp::Reverse(s.created_ms));
    let mut newest: Option<Read> = None;
    for other in others.iter().take(LOOKED_AT_MAX) {
        let (_, index) = earlier::index(session, &other.revision).await?;
        let manifest = earlier::manifest(session, &other.revision, &index).await?;
        let Ok(manifest) = Manifest::parse(manifest.as_bytes()) else { continue };
        if manifest.name != *name {
            continue;
        }
        let known = |p: &&Pair| manifest.targets.contains_key(&p.logical);
        let pairs: Vec<Pair> = pairs.iter().filter(known).cloned().collect();
        let read = read(session, authority, against, (&index, &manifest), &pairs).await?;
        newest = newest.into_iter().chain(read).max_by_key(|r| r.at);
    }
    let Some(Read { revision, ceiling, by, at }) = newest else { return Ok(None) };
    let bundle = session.fetch(&revision).await?;
    Ok(Some(Approved { bundle, ceiling, by, at }))
}

/// Counts the reviews of one revision; `None` where they do not let it pass.
async fn read(
    session: &Session,
    authority: &Authority,
    against: &Against,
    (index, manifest): (&BundleIndex, &Manifest),
    pairs: &[Pair],
) -> anyhow::Result<Option<Read>> {
    let targets = pairs.iter().filter_map(|p| authority.target(&p.target));
    let Some(runner) = targets.flat_map(|t| &t.runners).next() else { return Ok(None) };
    let revision = index.revision();
    let said = session.client.revision(&revision).await?.documents;
    let (submissions, reviews) = split(&said)?;
    let wish = Wish {
        run: RunId::new(&*session.world.clock, &*session.world.entropy),
        caller: session.person.clone(),
        pairs: pairs.to_vec(),
        use_number: 0,
        access_request: None,
    };
    let file = OnFile { submissions: &submissions, reviews: &reviews, ..OnFile::default() };
    let local = Local {
        now: session.world.now(),
        runner,
        manifest,
        bundle: index,
        input: Digest::of(b"{}"),
        in_force: &against.in_force,
        run_id_spent: false,
        uses_spent: Vec::new(),
        self_serve_runs: Vec::new(),
        owed: &[],
    };
    // One whose author is stopped is nothing to build on.
    let Ok(advice) = trust::advise(authority, &wish, file, local) else { return Ok(None) };
    is_about_it(&advice.left_out)?;
    let counted = approving(&advice.facts);
    let Some(last) = counted.last() else { return Ok(None) };
    let asked = manifest.asks(pairs);
    let mut by: Vec<PersonId> = counted.iter().map(|r| r.reviewer.clone()).collect();
    by.sort();
    by.dedup();
    Ok(Some(Read {
        revision,
        ceiling: pairs.iter().fold(asked, |all, pair| {
            let of_pair = counted.iter().filter(|r| r.ceiling.pairs.contains_key(pair));
            of_pair.fold(all, |all, review| narrowed(&all, &review.ceiling, pair))
        }),
        by,
        at: last.window.not_before,
    }))
}

/// What `ceiling` leaves of one pair; the others stay as they are.
fn narrowed(all: &Capabilities, ceiling: &Capabilities, pair: &Pair) -> Capabilities {
    let met = all.only(pair).meet(&ceiling.only(pair));
    let mut pairs = all.pairs.clone();
    pairs.extend(met.pairs);
    Capabilities { pairs, limits: met.limits }
}
