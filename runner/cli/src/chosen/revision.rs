//! Which revision a reference means: of a name the newest that is approved for these targets, by
//! reviews that this client verified. A newer one is mentioned, never run.

use domain::{Denial, Digest, Pair, Rule, ScriptName, ScriptVersion, explain};

use crate::bundle::Bundle;
use crate::commands::Call;
use crate::commands::request::runner_for;
use crate::dossier::{self, Dossier, Imagined};
use crate::on::{self as places, On};
use crate::out::Style;
use crate::session::Session;

/// Revisions of one script that are looked into, newest first.
const LOOKED_AT_MAX: usize = 16;

/// The same revision on each of some places, with what is on file about it there.
type Found = Vec<(Dossier, Vec<Pair>)>;

/// The revision with what is on file about it, and the bindings of its targets, for each run.
pub(super) async fn find(
    call: &Call<'_>,
    session: &Session,
    reference: &str,
    each: &[Vec<On>],
) -> anyhow::Result<Found> {
    let mut passed = Vec::new();
    let mut newest: Option<Found> = None;
    for digest in candidates(session, reference).await? {
        let bundle = session.fetch(&digest).await?;
        let (mut found, mut lacks) = (Vec::with_capacity(each.len()), None);
        for places in each {
            let pairs = places::bind(&bundle.manifest, places)?;
            let authority = session.authority().await?;
            let dossier = Dossier::about(session, authority, bundle.clone(), &pairs).await?;
            if lacks.is_none() {
                lacks =
                    unreviewed(session, &dossier, &pairs)?.map(|denial| (pairs.clone(), denial));
            }
            found.push((dossier, pairs));
        }
        let Some((pairs, denial)) = lacks else {
            tell(call, &bundle, passed.first());
            return Ok(found);
        };
        passed.push(Passed { version: bundle.manifest.version, revision: digest, pairs, denial });
        newest.get_or_insert(found);
    }
    // None is approved: the newest is what its reviewers will be asked about.
    let newest = newest.unwrap_or_default();
    if let Some((dossier, _)) = newest.first() {
        tell(call, &dossier.bundle, None);
    }
    Ok(newest)
}

/// A newer revision that is not used.
struct Passed {
    version: ScriptVersion,
    revision: Digest,
    /// Where it is not approved.
    pairs: Vec<Pair>,
    denial: Denial,
}

/// What a reference may mean, the best first.
async fn candidates(session: &Session, reference: &str) -> anyhow::Result<Vec<Digest>> {
    if let Ok(name) = reference.parse::<ScriptName>() {
        let mut all = session.client.scripts().await?;
        all.retain(|s| s.script == name);
        all.sort_by_key(|s| std::cmp::Reverse(s.created_ms));
        if !all.is_empty() {
            return Ok(all.iter().take(LOOKED_AT_MAX).map(|s| s.revision).collect());
        }
    }
    Ok(vec![session.resolve(reference).await?])
}

/// Which rule about authors and reviewers fails, whoever would run it.
fn unreviewed(
    session: &Session,
    dossier: &Dossier,
    pairs: &[Pair],
) -> anyhow::Result<Option<Denial>> {
    let runner = runner_for(dossier.authority.policy(), pairs)?;
    let run = Imagined {
        caller: &session.person,
        pairs,
        runner: &runner,
        input: Digest::of(b"{}"),
        requested: None,
        now: session.world.now(),
    };
    let advice = match dossier.advise(session, run) {
        Ok(advice) => advice,
        Err(error) => return Ok(Some(dossier::invalid(&error))),
    };
    dossier::is_about_it(&advice.left_out)?;
    let about =
        |rule| matches!(rule, Rule::SubmissionMissing | Rule::ReviewRejected | Rule::ReviewMissing);
    let failed = explain(&advice.facts).into_iter().find(|s| !s.satisfied && about(s.rule));
    Ok(failed.map(|s| Denial::new(s.rule, s.fact, s.help.unwrap_or_default())))
}

fn tell(call: &Call<'_>, bundle: &Bundle, newer: Option<&Passed>) {
    let (m, out) = (&bundle.manifest, call.out);
    out.note(format!("{} {}  {}", m.name, m.version, bundle.revision));
    let Some(Passed { version, revision, pairs, denial }) = newer else { return };
    let label = out.style_err(Style::Warn, "newer:");
    let (digest, why) = (revision.short(), &denial.fact);
    out.note(format!("  {label} {version} ({digest}) is not approved there: {why}"));
    let targets: Vec<String> = pairs.iter().map(|p| format!("--target {p}")).collect();
    let review = format!("borescope review {}@{version} {}", m.name, targets.join(" "));
    out.note(format!("         somebody other than its author looks at it: {review}"));
}
