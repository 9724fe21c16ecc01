//! Which revision a reference means: of a name the newest that is approved for these targets, by
//! reviews that this client verified. A newer one is mentioned, never run.

use domain::{Denial, Digest, Pair, Rule, ScriptName, explain};

use crate::commands::Call;
use crate::commands::request::runner_for;
use crate::dossier::{self, Dossier, Imagined};
use crate::on::{self as places, On};
use crate::out::Style;
use crate::session::Session;

/// Revisions of one script that are looked into, newest first.
const LOOKED_AT_MAX: usize = 16;

/// The revision with what is on file about it, and the bindings of its targets.
pub(super) async fn find(
    call: &Call<'_>,
    session: &Session,
    reference: &str,
    places: &[On],
) -> anyhow::Result<(Dossier, Vec<Pair>)> {
    let mut passed = Vec::new();
    let mut newest = None;
    for digest in candidates(session, reference).await? {
        let bundle = session.fetch(&digest).await?;
        let pairs = places::bind(&bundle.manifest, places)?;
        let authority = session.authority().await?;
        let dossier = Dossier::about(session, authority, bundle, &pairs).await?;
        match unreviewed(session, &dossier, &pairs)? {
            None => {
                tell(call, &dossier, &pairs, &passed);
                return Ok((dossier, pairs));
            }
            Some(denial) => {
                passed.push((dossier.bundle.manifest.version.clone(), digest, denial));
                newest.get_or_insert((dossier, pairs));
            }
        }
    }
    // None is approved: the newest is what its reviewers will be asked about.
    let (dossier, pairs) = newest.ok_or_else(|| anyhow::anyhow!("{reference} has no revision"))?;
    tell(call, &dossier, &pairs, &[]);
    Ok((dossier, pairs))
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

fn tell(
    call: &Call<'_>,
    dossier: &Dossier,
    pairs: &[Pair],
    passed: &[(domain::ScriptVersion, Digest, Denial)],
) {
    let (m, out) = (&dossier.bundle.manifest, call.out);
    out.note(format!("{} {}  {}", m.name, m.version, dossier.bundle.revision));
    let Some((version, digest, why)) = passed.first() else { return };
    let label = out.style_err(Style::Warn, "newer:");
    out.note(format!(
        "  {label} {version} ({}) is not approved there: {}",
        digest.short(),
        why.fact
    ));
    let targets: Vec<String> = pairs.iter().map(|p| format!("--target {p}")).collect();
    let reviews = format!("borescope review {}@{version} {}", m.name, targets.join(" "));
    out.note(format!("         somebody other than its author looks at it: {reviews}"));
}
