//! `show --why`: the whole derivation, by the runner's own functions over what this client verified.
//!
//! Of an access request: of its next use. Of a revision: whether somebody could run it without an
//! approval. Of a run: as of its start, with the documents that its receipt names.

use api::types::RunView;
use domain::{Digest, PersonId, RequestId, Rule, RunId, RunnerName, Step, Timestamp, explain};
use serde_json::json;
use trust::{
    AccessRequest, Advice, Approval, Authority, ChainError, Document, Review, RunRequest, Verified,
};

use super::ShowArgs;
use crate::bundle::Bundle;
use crate::commands::Call;
use crate::commands::request::runner_for;
use crate::commands::run;
use crate::dossier::{self, Dossier, Imagined, Requested};
use crate::exit::{Exit, Failure};
use crate::on::{self, On};
use crate::out::Style;
use crate::session::Session;
use crate::view::{receipt, why};
use crate::when;

/// Derives and shows.
pub(super) async fn command(
    call: &Call<'_>,
    session: &Session,
    args: &ShowArgs,
) -> anyhow::Result<Exit> {
    let reference = args.reference.as_str();
    if let Ok(run) = reference.parse::<RunId>() {
        return of_run(call, session, &run, &args.targets).await;
    }
    if let Ok(request) = reference.parse::<RequestId>() {
        return of_request(call, session, &request).await;
    }
    if args.targets.is_empty() {
        return Err(Failure::usage(
            "where it would run is not given",
            "say where: borescope show REVISION --why --on TARGET",
        )
        .into());
    }
    let digest = session.resolve(reference).await?;
    let caller = args.as_caller.as_ref().unwrap_or(&session.person);
    of_revision(call, session, &digest, &args.targets, caller).await
}

async fn of_request(call: &Call<'_>, session: &Session, id: &RequestId) -> anyhow::Result<Exit> {
    let authority = session.authority().await?;
    let requested = Requested::fetch(session, &authority, id).await?;
    let bundle = session.fetch(&requested.doc().revision).await?;
    let pairs = requested.pairs();
    let dossier = Dossier::about(session, authority, bundle, &pairs).await?;
    let run = requested.imagined(&pairs, session.world.now());
    let next = requested.next_use();
    let title = format!("use {next} of {id} by {}, as of now", requested.doc().caller);
    tell(call, &title, dossier.advise(session, run), Tense::Now)
}

async fn of_revision(
    call: &Call<'_>,
    session: &Session,
    digest: &Digest,
    places: &[On],
    caller: &PersonId,
) -> anyhow::Result<Exit> {
    let (authority, bundle) = (session.authority().await?, session.fetch(digest).await?);
    let pairs = &on::bind(&bundle.manifest, places)?;
    let mut dossier = Dossier::about(session, authority, bundle, pairs).await?;
    dossier.count_served(session, caller).await?;
    let runner = runner_for(dossier.authority.policy(), pairs)?;
    let run = Imagined {
        caller,
        pairs,
        runner: &runner,
        input: Digest::of(b"{}"),
        requested: None,
        now: session.world.now(),
    };
    let title = format!("{caller} runs {digest} without an approval, as of now");
    tell(call, &title, dossier.advise(session, run), Tense::Now)
}

/// When the derivation is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tense {
    Now,
    /// A status lives for minutes and is not kept, so nothing can be said of it.
    Then,
}

/// Prints a derivation.
fn tell(
    call: &Call<'_>,
    title: &str,
    advice: Result<Advice<'_>, ChainError>,
    tense: Tense,
) -> anyhow::Result<Exit> {
    let out = call.out;
    let Advice { facts, left_out } = advice.map_err(|e| dossier::invalid(&e))?;
    let mut steps: Vec<Step> = explain(&facts);
    if tense == Tense::Then {
        steps.retain(|s| s.satisfied || !is_of_status(s.rule));
    }
    let left_out: Vec<String> = left_out.iter().map(ToString::to_string).collect();
    let doubt = dossier::doubt(&facts);
    if out.json {
        let allowed = steps.iter().all(|s| s.satisfied);
        out.json(
            &json!({ "allowed": allowed, "steps": steps, "left_out": left_out, "doubt": doubt }),
        )?;
        return Ok(Exit::Ok);
    }
    out.line(format!("{title}: {}", why::verdict(&steps, out)))?;
    out.lines(why::steps(&steps, out))?;
    for error in left_out {
        out.field("left out: ", &error)?;
    }
    if facts.solo {
        out.line("solo: one person may say everything here; this proves no second person")?;
    }
    if let Some(doubt) = doubt {
        out.note(format!("{} {doubt}", out.style_err(Style::Warn, "warning:")));
    }
    Ok(Exit::Ok)
}

/// What was ordered, verified.
struct Ordered {
    request: Verified<RunRequest>,
    requested: Option<Requested>,
    dossier: Dossier,
}

async fn of_run(
    call: &Call<'_>,
    session: &Session,
    id: &RunId,
    places: &[On],
) -> anyhow::Result<Exit> {
    let view = session.client.run(id).await?;
    run::is_ours(&view, id)?;
    if view.started_ms.is_none() {
        return of_none(call, session, &view, places).await;
    }
    let authority = session.authority().await?;
    let ordered = ordered(session, &authority, &view).await?;
    let out = call.out;
    let mut at = Timestamp::from_unix_s(i64::try_from(view.queued_ms / 1000)?);
    if !out.json {
        out.line(format!("{id} {}, by {}", view.state.code(), ordered.request.doc().caller))?;
    }
    if view.receipt.is_some() {
        let proved = run::evidence(session, &authority, id).await?;
        let receipt = &proved.verified.receipt;
        if receipt.run_request != ordered.request.digest() {
            return Err(Failure::evidence(
                format!("the receipt of {id} is about another run request than the server shows"),
                "the server is broken or lies; do not rely on what it shows",
            )
            .into());
        }
        at = receipt.started_at;
        if !out.json {
            out.lines(receipt::summary(&proved.verified, out))?;
            documents(call, session, &authority, &ordered, receipt).await?;
        }
    }
    derived(call, session, &ordered, at)
}

/// Of a run that never started: its order is not kept, so what is derived is what would be said of the
/// same now. The runner's own answer comes first.
async fn of_none(
    call: &Call<'_>,
    session: &Session,
    view: &RunView,
    places: &[On],
) -> anyhow::Result<Exit> {
    let out = call.out;
    if !out.json {
        out.line(format!("{} {}, by {}", view.id, view.state.code(), view.caller))?;
        if let Some(denial) = &view.denial {
            let denied = format!("{}: {}", denial.rule.code(), denial.fact);
            out.field("the runner denied it by ", &denied)?;
            out.field("help: ", &denial.help)?;
        }
    }
    match &view.request {
        Some(request) => of_request(call, session, request).await,
        None if places.is_empty() => {
            out.note("it named no access request; derive it anew with --on TARGET");
            Ok(Exit::Ok)
        }
        None => of_revision(call, session, &view.revision, places, &view.caller).await,
    }
}

async fn ordered(
    session: &Session,
    authority: &Authority,
    view: &RunView,
) -> anyhow::Result<Ordered> {
    let digest = view.run_request.to_string();
    let request: Verified<RunRequest> = session.statement(authority, &digest).await?;
    let doc = request.doc();
    if doc.run != view.id {
        return Err(Failure::evidence(
            format!("the server shows the run request of {} for {}", doc.run, view.id),
            "the server is broken or lies; do not rely on what it shows",
        )
        .into());
    }
    let requested = match doc.request {
        None => None,
        Some(digest) => {
            let access: Verified<AccessRequest> =
                session.statement(authority, &digest.to_string()).await?;
            Some(Requested::fetch(session, authority, &access.doc().header.id).await?)
        }
    };
    let bundle: Bundle = session.fetch(&doc.revision).await?;
    let dossier = Dossier::about(session, authority.clone(), bundle, &doc.pairs).await?;
    Ok(Ordered { request, requested, dossier })
}

/// The derivation as it was when the run was decided, as far as that can be known afterwards: uses
/// that were started since are not counted, nor is what was said since.
fn derived(
    call: &Call<'_>,
    session: &Session,
    ordered: &Ordered,
    at: Timestamp,
) -> anyhow::Result<Exit> {
    let doc = ordered.request.doc();
    let requested = ordered.requested.as_ref().map(|r| r.as_of_use(doc.use_number));
    let runner: &RunnerName = &doc.runner;
    let run = Imagined {
        caller: &doc.caller,
        pairs: &doc.pairs,
        runner,
        input: doc.input,
        requested: requested.as_ref(),
        now: at,
    };
    let then = ordered.dossier.then(at);
    let at = when::show(at, &call.env.zone);
    let title = format!("derived as of {at}, by the keyring, directory and policy of now");
    tell(call, &title, ordered.dossier.advise_against(session, run, &then), Tense::Then)
}

const fn is_of_status(rule: Rule) -> bool {
    matches!(rule, Rule::StatusMissing | Rule::StatusExpired | Rule::StatusDiffers)
}

/// The documents that the receipt names, each fetched and verified.
async fn documents(
    call: &Call<'_>,
    session: &Session,
    authority: &Authority,
    ordered: &Ordered,
    receipt: &trust::Receipt,
) -> anyhow::Result<()> {
    let out = call.out;
    let order = ordered.request.doc();
    out.line(format!("  order    {} by {} ✓", order.header.id, order.caller))?;
    if let Some(requested) = &ordered.requested {
        let doc = requested.doc();
        let mark = if doc.break_glass { " EMERGENCY" } else { "" };
        out.line(format!("  request  {} by {} ✓{mark}", doc.header.id, doc.caller))?;
    }
    for id in &receipt.reviews {
        let by =
            signer::<Review>(session, authority, id.as_str(), |d| d.reviewer.to_string()).await;
        out.line(format!("  review   {id} {by}"))?;
    }
    for id in &receipt.approvals {
        let by =
            signer::<Approval>(session, authority, id.as_str(), |d| d.approver.to_string()).await;
        out.line(format!("  approval {id} {by}"))?;
    }
    Ok(())
}

/// Who signed a document; one that cannot be shown is no proof, and the receipt still names it.
async fn signer<D: Document>(
    session: &Session,
    authority: &Authority,
    id: &str,
    who: impl Fn(&D) -> String,
) -> String {
    match session.statement::<D>(authority, id).await {
        Ok(found) => format!("by {} ✓", who(found.doc())),
        Err(error) => format!("✗ {}", crate::exit::chain(&error)),
    }
}
