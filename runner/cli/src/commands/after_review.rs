//! `borescope after-review`: look at what somebody did in an emergency, and say what you think.

use api::types::{Filed, RunView};
use clap::Args;
use domain::{AfterReviewId, FreeText, RequestId};
use serde_json::json;
use trust::{AfterReview, AfterReviewVerdict};

use super::Call;
use crate::dossier::Requested;
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::session::{Session, wire};
use crate::view::receipt;
use crate::when;

/// How long the document itself is dated, seconds.
const LIFE_S: i64 = 365 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope after-review req_0198f0c0-0000-7000-8000-000000000000
  borescope after-review req_0198f0c0-0000-7000-8000-000000000000 --justified --comment \"INC-1234\"

Shows what ran under a break-glass access request, with receipts verified here. Either answer settles
what its caller owes; what follows from --not-justified is for people.")]
pub(crate) struct AfterReviewArgs {
    /// The break-glass access request
    request: RequestId,
    /// It had to be done
    #[arg(long, conflicts_with = "not_justified")]
    justified: bool,
    /// It had not
    #[arg(long)]
    not_justified: bool,
    /// For whoever asks later
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: FreeText,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// Shows what ran; signs when there is an answer.
pub(crate) async fn command(call: &Call<'_>, args: AfterReviewArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let requested = Requested::fetch(&session, &authority, &args.request).await?;
    if !requested.doc().break_glass {
        let message = format!("{} is an ordinary access request", args.request);
        return Err(Failure::usage(message, "emergencies that wait: borescope inbox").into());
    }
    let all = session.client.runs().await?;
    let runs: Vec<&RunView> =
        all.iter().filter(|r| r.request.as_ref() == Some(&args.request)).collect();
    let out = call.out;
    if !out.json {
        show(call, &requested)?;
        for run in &runs {
            show_run(call, &session, &authority, run).await?;
        }
    }
    let verdict = match (args.justified, args.not_justified) {
        (true, _) => AfterReviewVerdict::Justified,
        (_, true) => AfterReviewVerdict::NotJustified,
        _ => {
            out.note("nothing is signed; add --justified or --not-justified");
            return Ok(Exit::Ok);
        }
    };
    let word = word(verdict);
    let question = format!("Sign \"{word}\" for {} as {}?", args.request, session.person);
    if !args.yes && !out.confirm(&question)? {
        out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let filed = file(&session, &requested, verdict, args.comment).await?;
    if out.json {
        out.json(&json!({ "id": filed.id, "digest": filed.digest, "request": args.request, "verdict": verdict }))?;
    } else {
        out.line(format!("signed {}: {word}", filed.id))?;
    }
    Ok(Exit::Ok)
}

const fn word(verdict: AfterReviewVerdict) -> &'static str {
    match verdict {
        AfterReviewVerdict::Justified => "justified",
        AfterReviewVerdict::NotJustified => "not-justified",
    }
}

fn show(call: &Call<'_>, requested: &Requested) -> anyhow::Result<()> {
    let (out, doc) = (call.out, requested.doc());
    let who = out.style(Style::Bold, doc.caller.as_str());
    out.line(format!("{who} broke the glass under {}", doc.header.id))?;
    out.line(format!("  revision {}", doc.revision))?;
    for pair in doc.scope.pairs() {
        out.line(format!("  on       {pair}"))?;
    }
    out.field("  reason   ", doc.reason.as_str())?;
    if let Some(ticket) = &doc.ticket {
        out.line(format!("  ticket   {ticket}"))?;
    }
    let since = when::show(doc.header.not_before, &call.env.zone);
    out.line(format!("  asked at {since}; {} of {} uses", requested.spent.len(), doc.uses))?;
    Ok(())
}

async fn show_run(
    call: &Call<'_>,
    session: &Session,
    authority: &trust::Authority,
    run: &RunView,
) -> anyhow::Result<()> {
    if run.receipt.is_some() {
        let proved = super::run::evidence(session, authority, &run.id).await?;
        call.out.lines(receipt::summary(&proved.verified, call.out))?;
    } else {
        call.out.line(format!("{} {}", run.id, run.state.code()))?;
    }
    Ok(())
}

/// Signs and files.
async fn file(
    session: &Session,
    requested: &Requested,
    verdict: AfterReviewVerdict,
    comment: FreeText,
) -> anyhow::Result<Filed> {
    let id = AfterReviewId::new(&*session.world.clock, &*session.world.entropy);
    let review = AfterReview {
        header: session.header(id, LIFE_S),
        reviewer: session.person.clone(),
        request: requested.request.digest(),
        request_id: requested.doc().header.id.clone(),
        verdict,
        comment,
    };
    let envelope = wire(&session.sign(&review)?)?;
    Ok(session.client.after_review(&envelope).await?)
}
