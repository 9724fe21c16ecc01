//! Signing and filing a review.

use api::types::Filed;
use domain::ReviewId;
use domain::decide::Verdict;
use serde_json::json;
use trust::Review;

use super::analysis::others;
use super::{Fetched, LIFE_S, Said, Seen, word};
use crate::bundle::Bundle;
use crate::commands::Call;
use crate::exit::Exit;
use crate::session::{Session, wire};

/// Signs and files what the person agrees to.
pub(super) async fn sign(
    call: &Call<'_>,
    session: &Session,
    fetched: &Fetched,
    said: Said,
    yes: bool,
) -> anyhow::Result<Exit> {
    let Fetched { authority, bundle, said: on_file, .. } = fetched;
    let (out, verdict, digest) = (call.out, said.verdict, bundle.revision);
    let mut seen = Vec::new();
    if verdict == Verdict::Approve {
        let progress = out.progress("reading the targets' catalogs");
        seen = Seen::all(session, authority, bundle, &said.ceiling).await?;
        let others = others(session, authority, bundle, on_file, &seen).await;
        drop(progress);
        if !out.json {
            seen.iter().try_for_each(|seen| seen.show(out))?;
        }
        out.notes(others);
    }
    out.note(what_it_does(verdict));
    let question =
        format!("Sign \"{}\" for {} as {}?", word(verdict), digest.short(), session.person);
    if !yes && !out.confirm(&question)? {
        out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let filed = file(session, bundle, said, &seen).await?;
    if out.json {
        let analysis: Vec<_> = seen.iter().map(Seen::reference).collect();
        out.json(&json!({ "id": filed.id, "digest": filed.digest, "revision": digest,
            "verdict": verdict, "analysis": analysis }))?;
        return Ok(Exit::Ok);
    }
    out.line(format!("signed {}: {} ({})", filed.id, word(verdict), filed.digest))?;
    if verdict == Verdict::Reject {
        out.note(format!("to end it: borescope withdraw {} --reason TEXT", filed.id));
    }
    Ok(Exit::Ok)
}

/// What a verdict brings about, for whoever is about to sign it.
const fn what_it_does(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approve: it may run within this ceiling where enough others agree",
        Verdict::RequestChanges => {
            "request-changes: it does not run there until you sign a newer review of it"
        }
        Verdict::Reject => {
            "reject: it is barred there from now on, also for runs that go on, whatever others say, \
             until you withdraw it or the role `lift` lifts it"
        }
    }
}

/// Signs and files a review of a revision that was hashed here. An approval counts for the pairs whose
/// analysis was seen.
pub(crate) async fn file(
    session: &Session,
    bundle: &Bundle,
    said: Said,
    seen: &[Seen],
) -> anyhow::Result<Filed> {
    for seen in seen {
        seen.store(session).await?;
    }
    let Said { verdict, ceiling, self_serve, rebuilt, comment } = said;
    let id = ReviewId::new(&*session.world.clock, &*session.world.entropy);
    let review = Review {
        header: session.header(id, LIFE_S),
        reviewer: session.person.clone(),
        revision: bundle.revision,
        verdict,
        ceiling,
        analysis: seen.iter().map(Seen::reference).collect(),
        self_serve,
        rebuilt,
        comment,
    };
    let envelope = wire(&session.sign(&review)?)?;
    Ok(session.client.review(&envelope).await?)
}
