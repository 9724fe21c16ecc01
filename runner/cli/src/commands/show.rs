//! `borescope show`: any id, digest, name or ticket.

mod pae;
mod timeline;
mod why;

use std::path::PathBuf;

use api::types::{DocumentView, RequestView, RevisionView};
use clap::Args;
use domain::{Digest, Pair, PersonId, RequestId, RunId};
use sandbox::Sandbox;
use trust::{AccessRequest, Authority, Review, Submission, Verified};

use super::Call;
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::session::{Session, envelope, verified};
use crate::view::{receipt, revision};
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope show stuck-orders            the newest revision: queries, limits, reviews
  borescope show 3f2a91c0d4e5            a revision by the first digits of its digest
  borescope show req_0198f0c0-…          an access request, and what it still lacks
  borescope show run_0198f0c0-…          a run with its receipt, verified here
  borescope show rev_0198f0c0-…          any signed document
  borescope show INC-1234                a ticket: requests, approvals, runs, stops, in order
  borescope show req_0198f0c0-… --why    every rule: by which fact and whose document, and what helps
  borescope show stuck-orders --why --on shop=shop-replica --as-caller carol
                                         could carol run it without an approval?
  borescope show rev_0198f0c0-… --pae --out proof
                                         what stock `ssh-keygen -Y verify` needs, as files")]
pub(crate) struct ShowArgs {
    /// Id, digest or its first digits, NAME, NAME@VERSION, or a ticket
    reference: String,
    /// Derive it here, rule by rule: why something may run, or may not
    #[arg(long, conflicts_with = "pae")]
    why: bool,
    /// With --why of a revision: real target for a logical one; repeat for each
    #[arg(long = "on", id = "targets", value_name = "LOGICAL=TARGET", requires = "why", value_parser = crate::args::pair)]
    targets: Vec<Pair>,
    /// With --why of a revision: who would run it; you if not given
    #[arg(long, value_name = "PERSON", requires = "targets")]
    as_caller: Option<PersonId>,
    /// Print what stock `ssh-keygen -Y verify` needs: signed bytes, signature, namespace, command
    #[arg(long)]
    pae: bool,
    /// Folder to write that to, with allowed_signers; made if missing
    #[arg(long, value_name = "DIR", requires = "pae")]
    out: Option<PathBuf>,
}

/// Shows whatever it is.
pub(crate) async fn command(call: &Call<'_>, args: ShowArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let reference = args.reference.as_str();
    if args.pae {
        let (id, envelope) = signed_document(&session, reference).await?;
        let authority = session.authority().await?;
        return pae::show(call, &authority, &id, &envelope, args.out.as_deref());
    }
    if args.why {
        return why::command(call, &session, &args).await;
    }
    if let Ok(run) = reference.parse::<RunId>() {
        return show_run(call, &session, &run).await;
    }
    if let Ok(request) = reference.parse::<RequestId>() {
        let view = session.client.access_request(&request).await?;
        return show_request(call, &session, &view).await;
    }
    if is_document_id(reference) {
        return show_document(call, &session.client.document(reference).await?);
    }
    let Some(digest) = session.known(reference).await? else {
        return timeline::show(call, &session, reference).await;
    };
    match session.client.revision(&digest).await {
        Ok(view) => show_revision(call, &session, &digest, &view).await,
        Err(error) => match session.client.document(reference).await {
            Ok(document) => show_document(call, &document),
            Err(_) => Err(error.into()),
        },
    }
}

/// `<kind>_<uuid>`
fn is_document_id(reference: &str) -> bool {
    reference.split_once('_').is_some_and(|(_, id)| id.len() == 36)
}

/// The envelope of a document, or of a run's receipt, and its id.
async fn signed_document(
    session: &Session,
    reference: &str,
) -> anyhow::Result<(String, trust::Envelope)> {
    if let Ok(run) = reference.parse::<RunId>() {
        let view = session.client.receipt(&run).await?;
        let receipt = trust::Envelope::from_json(view.receipt.get().as_bytes())?;
        let claimed: trust::Receipt = trust::read_unverified(&receipt)?;
        return Ok((claimed.header.id.to_string(), receipt));
    }
    let digest = reference.parse::<Digest>().is_ok();
    if !digest && !is_document_id(reference) {
        return Err(Failure::usage(
            format!("\"{}\" is no signed document", reference),
            "--pae takes the id or digest of a document, or a run: borescope show NAME lists them",
        )
        .into());
    }
    let view = session.client.document(reference).await?;
    let envelope = envelope(&view)?;
    // The id becomes a file name: believed only in the form of an id.
    let id = if is_document_id(&view.id)
        && view.id.bytes().all(|b| b"_-".contains(&b) || b.is_ascii_alphanumeric())
    {
        view.id
    } else {
        envelope.payload_digest().hex()
    };
    Ok((id, envelope))
}

async fn show_run(call: &Call<'_>, session: &Session, run: &RunId) -> anyhow::Result<Exit> {
    let authority = session.authority().await?;
    let view = session.client.run(run).await?;
    if call.out.json {
        call.out.json(&view)?;
        return Ok(Exit::Ok);
    }
    let bold = call.out.style(Style::Bold, view.state.code());
    call.out.line(format!("{} {bold}, by {}", view.id, view.caller))?;
    call.out.line(format!("  revision {}", view.revision))?;
    if let Some(request) = &view.request {
        call.out.line(format!("  request  {request}"))?;
    }
    if is_emergency(session, &authority, view.request.as_ref()).await? {
        call.out.line(call.out.style(Style::Bad, "  EMERGENCY: ordered under a broken glass"))?;
    }
    if let Some(denial) = &view.denial {
        let denied = format!("{}: {}", denial.rule.code(), denial.fact);
        call.out.field("  denied   ", &denied)?;
        call.out.field("  help     ", &denial.help)?;
        call.out.line(format!("  why      borescope show {run} --why"))?;
    }
    if view.receipt.is_some() {
        let proved = super::run::evidence(session, &authority, run).await?;
        call.out.lines(receipt::summary(&proved.verified, call.out))?;
    }
    Ok(Exit::Ok)
}

/// Whether an access request breaks the glass, by its own verified words. Of one whose content was
/// erased nobody knows any more.
pub(crate) async fn is_emergency(
    session: &Session,
    authority: &Authority,
    request: Option<&RequestId>,
) -> anyhow::Result<bool> {
    let Some(id) = request else { return Ok(false) };
    let found: anyhow::Result<Verified<AccessRequest>> =
        session.statement(authority, id.as_str()).await;
    match found {
        Ok(request) => Ok(request.doc().break_glass),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_absent(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<api::ClientError>().and_then(|e| match e {
        api::ClientError::Problem(problem) => Some(problem.code),
        _ => None,
    });
    code == Some(api::Code::NotFound)
}

async fn show_request(
    call: &Call<'_>,
    session: &Session,
    view: &RequestView,
) -> anyhow::Result<Exit> {
    if call.out.json {
        call.out.json(view)?;
        return Ok(Exit::Ok);
    }
    let authority = session.authority().await?;
    let request: Verified<AccessRequest> = verified(&authority, &view.request)?;
    let doc = request.doc();
    let out = call.out;
    let state = serde_json::to_value(view.state)?;
    let state = out.style(Style::Bold, state.as_str().unwrap_or_default());
    out.line(format!("{} {state}, by {}", doc.header.id, doc.caller))?;
    if doc.break_glass {
        out.line(out.style(Style::Bad, "  EMERGENCY: fewer approvals, looked at afterwards"))?;
    }
    out.line(format!("  revision {}", doc.revision))?;
    for pair in doc.scope.pairs() {
        out.line(format!("  on       {pair}"))?;
    }
    out.field("  reason   ", doc.reason.as_str())?;
    let until = when::show(doc.window.not_after, &call.env.zone);
    out.line(format!("  uses     {} of {} spent; until {until}", view.uses_spent, doc.uses))?;
    for approval in &view.approvals {
        let by = approval.person.as_ref().map_or("?", AsRef::as_ref);
        out.line(format!("  approval {} by {by}", approval.id))?;
    }
    if let Some(missing) = &view.missing {
        let missed = format!("{}: {}", missing.rule.code(), missing.fact);
        out.field("  missing  ", &missed)?;
        out.field("  help     ", &missing.help)?;
        out.line(format!("  why      borescope show {} --why", doc.header.id))?;
    }
    Ok(Exit::Ok)
}

async fn show_revision(
    call: &Call<'_>,
    session: &Session,
    digest: &Digest,
    view: &RevisionView,
) -> anyhow::Result<Exit> {
    if call.out.json {
        call.out.json(view)?;
        return Ok(Exit::Ok);
    }
    let authority = session.authority().await?;
    let bundle = session.fetch(digest).await?;
    let facts = Sandbox::inspect(bundle.component()?)?;
    let interfaces: Vec<String> = facts.interfaces().map(str::to_owned).collect();
    call.out.lines(revision::whole(&bundle, &interfaces, call.out))?;
    if authority.is_solo() {
        call.out.line("solo: one person holds every role here; nobody else has looked")?;
    }
    for document in &view.documents {
        call.out.line(statement(&authority, document, digest))?;
    }
    Ok(Exit::Ok)
}

/// One line about a submission or review, verified here.
fn statement(authority: &Authority, view: &DocumentView, revision: &Digest) -> String {
    let line = match view.kind.as_str() {
        "submission" => verified::<Submission>(authority, view)
            .map(|s| (s.doc().revision, format!("submitted by {}", s.doc().author))),
        _ => verified::<Review>(authority, view).map(|r| {
            let pairs: Vec<String> = r.doc().ceiling.pairs().map(|p| p.to_string()).collect();
            let verdict = super::review::word(r.doc().verdict);
            (
                r.doc().revision,
                format!("{verdict} by {} for {}", r.doc().reviewer, pairs.join(", ")),
            )
        }),
    };
    match line {
        Ok((about, line)) if about == *revision => format!("✓ {line} ({})", view.id),
        Ok(_) => format!("✗ {} is about another revision", view.id),
        Err(e) => format!("✗ {}: {}", view.id, crate::exit::chain(&e)),
    }
}

fn show_document(call: &Call<'_>, view: &DocumentView) -> anyhow::Result<Exit> {
    if call.out.json {
        call.out.json(view)?;
        return Ok(Exit::Ok);
    }
    let envelope = envelope(view)?;
    let payload: serde_json::Value = serde_json::from_slice(envelope.payload())?;
    call.out.line(format!("{} {}", view.kind, view.id))?;
    call.out.line(format!("digest {}", envelope.payload_digest()))?;
    for signature in envelope.signatures() {
        call.out.line(format!("key    {}", signature.key().fingerprint()))?;
    }
    let text = serde_json::to_string_pretty(&payload)?;
    call.out.lines(text.lines())?;
    Ok(Exit::Ok)
}
