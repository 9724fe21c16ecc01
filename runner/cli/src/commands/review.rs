//! `borescope review`: read a revision from bytes that were hashed here, sign a verdict.

mod self_serve;

use api::types::Filed;
use clap::Args;
use domain::decide::{SelfServeClause, Verdict};
use domain::{FreeText, Pair, ReviewId, Scope};
use sandbox::Sandbox;
use serde_json::json;
use trust::Review;
use trust::document::{NotTried, NullOnly};

use super::Call;
use crate::bundle::Bundle;
use crate::exit::Exit;
use crate::narrow::{NarrowArgs, in_words};
use crate::on::{self, On};
use crate::session::{Session, wire};
use crate::view::revision;

/// How long a review counts, seconds: 90 days, then somebody looks again.
const LIFE_S: i64 = 90 * 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope review stuck-orders --target shop=shop-replica
  borescope review 3f2a91c0d4e5 --target shop=shop-replica --approve --comment \"read every query\"
  borescope review stuck-orders --target shop=shop-replica --approve --self-serve on-call:5
  borescope review stuck-orders@1.2.0 --target shop=shop-replica --request-changes --comment \"…\"
  borescope review stuck-orders@1.2.0 --target shop=shop-replica --reject --comment \"…\"

Shows what the revision may do, then signs your verdict. The ceiling that you sign is what the
manifest asks for on these targets, or less; nobody can grant more than that. With --self-serve
members of these groups may run it within the ceiling without an approval, as often a day; policy and
keyring must allow it, too. A --reject bars the revision for these targets at once, also for runs that
go on, whatever others say, until you withdraw it (borescope withdraw) or the role `lift` lifts it.")]
pub(crate) struct ReviewArgs {
    /// Revision: digest, its first digits, NAME or NAME@VERSION
    reference: String,
    /// Where: TARGET, or LOGICAL=TARGET for each of a script's several
    #[arg(long = "target", required = true, value_name = "[LOGICAL=]TARGET", value_parser = on::parse)]
    targets: Vec<On>,
    #[command(flatten)]
    verdict: VerdictArgs,
    /// Members of these groups may run it without an approval, so many times a day each, as on-call:5,
    /// or on one target only, as on-call,payments@shop-replica:5; repeat for more
    #[arg(long, value_name = "GROUPS:N", value_parser = self_serve::parse, requires = "approve")]
    self_serve: Vec<self_serve::Opened>,
    #[command(flatten)]
    narrow: NarrowArgs,
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

/// What a reviewer says.
pub(crate) struct Said {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// What it may do at most.
    pub(crate) ceiling: Scope,
    /// Who may run it without an approval.
    pub(crate) self_serve: Vec<SelfServeClause>,
    /// For people.
    pub(crate) comment: FreeText,
}

/// Shows the revision; signs when there is a verdict and the person agrees.
pub(crate) async fn command(call: &Call<'_>, args: ReviewArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let digest = session.resolve(&args.reference).await?;
    let bundle = session.fetch(&digest).await?;
    let pairs = on::bind(&bundle.manifest, &args.targets)?;
    let ceiling = args.narrow.apply(bundle.manifest.asks(&pairs).scope())?;
    let clauses: Vec<_> = args.self_serve.iter().map(|o| o.clause(&pairs)).collect();
    let out = call.out;
    if !out.json {
        show(call, &bundle, &pairs, &ceiling)?;
        let authority = session.authority().await?;
        clauses.iter().try_for_each(|c| out.lines(self_serve::in_words(c, &authority)))?;
    }
    let Some(verdict) = args.verdict.verdict() else {
        out.note("nothing is signed; add --approve, --request-changes or --reject");
        return Ok(Exit::Ok);
    };
    out.note(what_it_does(verdict));
    let question =
        format!("Sign \"{}\" for {} as {}?", word(verdict), digest.short(), session.person);
    if !args.yes && !out.confirm(&question)? {
        out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let said = Said { verdict, ceiling, self_serve: clauses, comment: args.comment };
    let filed = file(&session, &bundle, said).await?;
    if out.json {
        out.json(&json!({ "id": filed.id, "digest": filed.digest, "revision": digest, "verdict": verdict }))?;
        return Ok(Exit::Ok);
    }
    out.line(format!("signed {}: {} ({})", filed.id, word(verdict), filed.digest))?;
    if verdict == Verdict::Reject {
        out.note(format!("to end it: borescope withdraw {} --reason TEXT", filed.id));
    }
    Ok(Exit::Ok)
}

fn show(call: &Call<'_>, bundle: &Bundle, pairs: &[Pair], ceiling: &Scope) -> anyhow::Result<()> {
    let facts = Sandbox::inspect(bundle.component()?)?;
    let interfaces: Vec<String> = facts.interfaces().map(str::to_owned).collect();
    call.out.lines(revision::whole(bundle, &interfaces, call.out))?;
    for pair in pairs {
        call.out.line(format!("on {pair}"))?;
    }
    call.out.field("ceiling: ", &in_words(ceiling))?;
    Ok(())
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

/// A verdict in words.
pub(crate) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approve",
        Verdict::RequestChanges => "request-changes",
        Verdict::Reject => "reject",
    }
}

/// Signs and files a review of a revision that was hashed here.
pub(crate) async fn file(session: &Session, bundle: &Bundle, said: Said) -> anyhow::Result<Filed> {
    let Said { verdict, ceiling, self_serve, comment } = said;
    let id = ReviewId::new(&*session.world.clock, &*session.world.entropy);
    let review = Review {
        header: session.header(id, LIFE_S),
        reviewer: session.person.clone(),
        revision: bundle.revision,
        verdict,
        ceiling,
        analysis: NullOnly,
        self_serve,
        rebuilt: NotTried,
        comment,
    };
    let envelope = wire(&session.sign(&review)?)?;
    Ok(session.client.review(&envelope).await?)
}
