//! `borescope review`: read a revision from bytes that were hashed here, sign a verdict.

use api::types::Filed;
use clap::Args;
use domain::decide::Verdict;
use domain::{FreeText, Pair, ReviewId};
use sandbox::Sandbox;
use serde_json::json;
use trust::Review;
use trust::document::{NotTried, NullOnly};

use super::Call;
use crate::bundle::Bundle;
use crate::exit::{Exit, Failure};
use crate::session::{Session, wire};
use crate::view::{limits, revision};

/// How long a review counts, seconds: 90 days, then somebody looks again.
const LIFE_S: i64 = 90 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope review stuck-orders --target shop=shop-replica
  borescope review 3f2a91c0d4e5 --target shop=shop-replica --approve --comment \"read every query\"
  borescope review stuck-orders@1.2.0 --target shop=shop-replica --request-changes --comment \"…\"

Shows what the revision may do, then signs your verdict. The ceiling that you sign is what the
manifest asks for on these targets; nobody can grant more than that.")]
pub(crate) struct ReviewArgs {
    /// Revision: digest, its first digits, NAME or NAME@VERSION
    reference: String,
    /// Real target for a logical one; repeat for each
    #[arg(long = "target", required = true, value_name = "LOGICAL=TARGET", value_parser = crate::args::pair)]
    targets: Vec<Pair>,
    #[command(flatten)]
    verdict: VerdictArgs,
    /// For the author and for whoever asks later
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: FreeText,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// One verdict.
#[derive(Debug, Args)]
#[group(required = false, multiple = false)]
struct VerdictArgs {
    /// It may run within its ceiling
    #[arg(long)]
    approve: bool,
    /// Not yet
    #[arg(long)]
    request_changes: bool,
    /// No
    #[arg(long)]
    reject: bool,
}

impl VerdictArgs {
    const fn verdict(&self) -> Option<Verdict> {
        match (self.approve, self.request_changes, self.reject) {
            (true, _, _) => Some(Verdict::Approve),
            (_, true, _) => Some(Verdict::RequestChanges),
            (_, _, true) => Some(Verdict::Reject),
            _ => None,
        }
    }
}

/// Shows the revision; signs when there is a verdict and the person agrees.
pub(crate) async fn command(call: &Call<'_>, args: ReviewArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let digest = session.resolve(&args.reference).await?;
    let bundle = session.fetch(&digest).await?;
    let facts = Sandbox::inspect(bundle.component()?)?;
    let interfaces: Vec<String> = facts.interfaces().map(str::to_owned).collect();
    let out = call.out;
    if !out.json {
        out.lines(revision::whole(&bundle, &interfaces, out))?;
        for pair in &args.targets {
            out.line(format!("on {pair}"))?;
        }
        let ceiling = format!("all queries above, {}", limits(&bundle.manifest.limits));
        out.field("ceiling: ", &ceiling)?;
    }
    let Some(verdict) = args.verdict.verdict() else {
        out.note("nothing is signed; add --approve, --request-changes or --reject");
        return Ok(Exit::Ok);
    };
    let question =
        format!("Sign \"{}\" for {} as {}?", word(verdict), digest.short(), session.person);
    if !args.yes && !out.confirm(&question)? {
        out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let filed = file(&session, &bundle, &args.targets, verdict, args.comment).await?;
    if out.json {
        out.json(&json!({ "id": filed.id, "digest": filed.digest, "revision": digest, "verdict": verdict }))?;
    } else {
        out.line(format!("signed {}: {} ({})", filed.id, word(verdict), filed.digest))?;
    }
    Ok(Exit::Ok)
}

/// A verdict in words.
pub(crate) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approve",
        Verdict::RequestChanges => "request-changes",
        Verdict::Reject => "reject",
    }
}

/// The review of a revision that was hashed here, with the manifest's wishes as its ceiling.
pub(crate) fn document(
    session: &Session,
    bundle: &Bundle,
    pairs: &[Pair],
    verdict: Verdict,
    comment: FreeText,
) -> anyhow::Result<Review> {
    check_pairs(bundle, pairs)?;
    let id = ReviewId::new(&*session.world.clock, &*session.world.entropy);
    Ok(Review {
        header: session.header(id, LIFE_S),
        reviewer: session.person.clone(),
        revision: bundle.revision,
        verdict,
        ceiling: bundle.manifest.asks(pairs).scope(),
        analysis: NullOnly,
        self_serve: Vec::new(),
        rebuilt: NotTried,
        comment,
    })
}

/// Signs and files a review.
pub(crate) async fn file(
    session: &Session,
    bundle: &Bundle,
    pairs: &[Pair],
    verdict: Verdict,
    comment: FreeText,
) -> anyhow::Result<Filed> {
    let review = document(session, bundle, pairs, verdict, comment)?;
    let envelope = wire(&session.sign(&review)?)?;
    Ok(session.client.review(&envelope).await?)
}

/// Every logical target is bound exactly once, and nothing else is.
pub(crate) fn check_pairs(bundle: &Bundle, pairs: &[Pair]) -> Result<(), Failure> {
    let mut bound: Vec<&str> = pairs.iter().map(|p| p.logical.as_str()).collect();
    let mut wanted: Vec<&str> = bundle.manifest.targets.keys().map(AsRef::as_ref).collect();
    bound.sort_unstable();
    wanted.sort_unstable();
    if bound == wanted {
        return Ok(());
    }
    Err(Failure::usage(
        format!(
            "{} has the targets {}; bound are {}",
            bundle.manifest.name,
            wanted.join(", "),
            bound.join(", ")
        ),
        "bind each of them once, as shop=shop-replica",
    ))
}
