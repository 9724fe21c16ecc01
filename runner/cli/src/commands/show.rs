//! `borescope show`: any id, digest, name or ticket.

mod pae;
mod result;
mod timeline;
mod why;

use std::path::PathBuf;

use api::types::{DocumentView, RequestView, RevisionView};
use clap::Args;
use domain::{Digest, PersonId, RequestId, RunId};
use sandbox::Sandbox;
use trust::{AccessRequest, Authority, Verified};

use super::Call;
use crate::against::Listed;
use crate::exit::{Exit, Failure};
use crate::narrow::raw_in_words;
use crate::out::Style;
use crate::session::{Session, envelope, verified};
use crate::view::{revision, said};
use crate::when;
pub(crate) use result::all_rows;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope show stuck-orders            the newest revision: queries, limits, reviews
  borescope show 3f2a91c0d4e5            a revision by the first digits of its digest
  borescope show req_0198f0c0-…          an access request, and what it still lacks
  borescope show run_0198f0c0-…          a run: result and receipt, verified here; who read it
  borescope show run_0198f0c0-… --table stuck --csv > stuck.csv
                                         all rows of one of its tables
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
    /// Of a run: all rows of this table, and nothing else
    #[arg(long, value_name = "NAME", conflicts_with_all = ["why", "pae"])]
    table: Option<String>,
    /// Of a run: the table as CSV; --table is needed where there are several
    #[arg(long, conflicts_with_all = ["why", "pae"])]
    csv: bool,
    /// Derive it here, rule by rule: why something may run, or may not
    #[arg(long, conflicts_with = "pae")]
    why: bool,
    /// With --why of a revision: where it would run, TARGET or LOGICAL=TARGET for each of several
    #[arg(long = "on", id = "targets", value_name = "[LOGICAL=]TARGET", requires = "why", value_parser = crate::on::parse)]
    targets: Vec<crate::on::On>,
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

impl ShowArgs {
    /// What of a run is wanted.
    fn part(&self) -> result::Part<'_> {
        match &self.table {
            None if self.csv => result::Part::Csv(None),
            None => result::Part::Whole,
            Some(name) if self.csv => result::Part::Csv(Some(name)),
            Some(name) => result::Part::Table(name),
        }
    }
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
        return result::command(call, &session, &run, args.part()).await;
    }
    if args.table.is_some() || args.csv {
        return Err(Failure::usage(
            format!("\"{reference}\" is no run, and only a run's result has tables"),
            "give a run's id: borescope runs lists them",
        )
        .into());
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
    if let Some(raw) = raw_in_words(&doc.scope) {
        out.line(format!("  reads    {}", out.style(Style::Warn, &raw)))?;
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
    let component = Sandbox::inspect(bundle.component()?)?;
    call.out.lines(revision::whole(&bundle, &component, call.out))?;
    if authority.is_solo() {
        call.out.line("solo: one person holds every role here; nobody else has looked")?;
    }
    let against = Listed::fetch(session).await?.in_force(&authority, None);
    let zone = &call.env.zone;
    call.out.lines(said::lines(&authority, &against, &view.documents, digest, zone, call.out))?;
    Ok(Exit::Ok)
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
