//! `borescope withdraw`: end a rejection of one's own.

use api::types::Filed;
use clap::Args;
use domain::decide::Verdict;
use domain::{FreeText, WithdrawalId};
use serde_json::json;
use trust::{Review, Verified, Withdrawal};

use super::Call;
use crate::exit::{Exit, Failure};
use crate::session::{Session, wire};

/// How long the document itself is dated, seconds; it ends the rejection for good.
const LIFE_S: i64 = 365 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope withdraw rev_0198f0c0-0000-7000-8000-000000000000 --reason \"I misread the query\"

Ends your own rejection for good: the revision is barred no more on its account. A rejection of
somebody else is theirs to withdraw, or the role `lift` ends it: borescope lift.")]
pub(crate) struct WithdrawArgs {
    /// The rejecting review, by id or digest
    review: String,
    /// Why, for people
    #[arg(long)]
    reason: FreeText,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// Shows what it ends, and signs.
pub(crate) async fn command(call: &Call<'_>, args: WithdrawArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let review: Verified<Review> = session.statement(&authority, &args.review).await?;
    let doc = review.doc();
    if doc.verdict != Verdict::Reject {
        let message = format!("{} does not reject", doc.header.id);
        let help = "sign a newer review instead: your newest one of a pair counts";
        return Err(Failure::usage(message, help).into());
    }
    if doc.reviewer != session.person {
        let message = format!("{} is a rejection by {}", doc.header.id, doc.reviewer);
        let help = "only its reviewer withdraws it; the role `lift` can end it: borescope lift";
        return Err(Failure::new(Exit::Denied, message, help).into());
    }
    let out = call.out;
    if !out.json {
        out.line(format!("{} bars {} for", doc.header.id, doc.revision))?;
        for pair in doc.ceiling.pairs() {
            out.line(format!("  {pair}"))?;
        }
        out.field("because  ", doc.comment.as_str())?;
    }
    if !args.yes && !out.confirm(&format!("Withdraw it as {}?", session.person))? {
        out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let filed = file(&session, &review, args.reason).await?;
    if out.json {
        out.json(&json!({ "id": filed.id, "digest": filed.digest, "review": doc.header.id }))?;
    } else {
        out.line(format!("{} is withdrawn ({})", doc.header.id, filed.id))?;
    }
    Ok(Exit::Ok)
}

/// Signs and files.
async fn file(
    session: &Session,
    review: &Verified<Review>,
    reason: FreeText,
) -> anyhow::Result<Filed> {
    let id = WithdrawalId::new(&*session.world.clock, &*session.world.entropy);
    let withdrawal = Withdrawal {
        header: session.header(id, LIFE_S),
        reviewer: session.person.clone(),
        review: review.digest(),
        revision: review.doc().revision,
        reason,
    };
    let envelope = wire(&session.sign(&withdrawal)?)?;
    Ok(session.client.withdraw(&envelope).await?)
}
