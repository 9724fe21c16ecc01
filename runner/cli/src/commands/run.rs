//! `borescope run`: the one command of a person on call. It finds the revision, asks for an approval
//! where one is needed and waits, signs a run request, follows the run, shows what it gave and verifies
//! the receipt.

mod again;
mod asked;
mod follow;
mod interrupt;
mod merged;
mod order;
mod recent;
mod shards;
mod trip;
mod way;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use api::types::RunView;
use clap::Args;
use domain::{
    Denial, Digest, FreeText, Outcome, Pair, RequestId, RunId, RunState, RunnerName, Ticket,
};
use executor::Output;
use executor::evidence::RunEvidence;
use ledger::{TrustFile, VerifierKey};
use serde_json::json;
use tokio::time::Instant;
use trust::Authority;

use self::follow::Teller;
use self::trip::{Cleared, Trip};
use super::Call;
use crate::chosen::WhatArgs;
use crate::exit::{Exit, Failure};
use crate::out::{Out, Style};
use crate::session::Session;
use crate::view::{receipt, run as words, table};
use crate::{next, when};

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope run stuck-orders --on shop-replica --since 2h --reason \"INC-1234 parcels late\"
  borescope run stuck-orders --help              the options of that script
  borescope run stuck-orders --on shop-replica --since \"yesterday 22:00 Europe/Berlin\"
  borescope run stuck-orders --on group:shops --since 2h     one run on each target of the group
  borescope run --resume req_0198f0c0-0000-7000-8000-000000000000
  borescope run --again run_0198f0c0-0000-7000-8000-000000000000 --out ./result

It runs at once where reviewers opened the script to you, or under an access request of yours that is
approved for exactly this. Otherwise, with a --reason, it asks, names who can approve, waits and then
runs; Ctrl-C keeps what was asked for. Times: 2h (ago), a date, \"yesterday 22:00\" with or without a
zone; they are resolved to UTC before anything is signed. --out writes output.json, evidence.json and
recording.rec; check them any time with `borescope verify` and `borescope replay`.")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) what: WhatArgs,
    /// Go on with an access request or a run of yours: wait for it, and show what it gives
    #[arg(long, value_name = "ID", value_parser = resumed, conflicts_with_all = ["reference", "targets", "input"])]
    resume: Option<Resumed>,
    /// Once more what this run did: same revision, targets and input
    #[arg(long, value_name = "RUN", conflicts_with_all = ["reference", "targets", "input", "resume"])]
    again: Option<RunId>,
    /// Order it at once under this access request; the runner decides
    #[arg(long, value_name = "ID", requires = "input", conflicts_with_all = ["reference", "targets", "resume", "again"])]
    request: Option<RequestId>,
    /// How long to wait in all, for approvals and for the end
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = when::duration_s)]
    wait: u64,
    /// Folder for output, evidence and recording; made if missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What somebody goes on with.
#[derive(Debug, Clone)]
enum Resumed {
    Request(RequestId),
    Run(RunId),
}

fn resumed(text: &str) -> Result<Resumed, String> {
    let run = text.parse().map(Resumed::Run);
    run.or_else(|_| text.parse().map(Resumed::Request)).map_err(|_: domain::ParseError| {
        "expected the id of an access request or of a run, as req_… or run_…".to_owned()
    })
}

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// On which way.
    pub(crate) under: Under,
    /// The input's exact bytes.
    pub(crate) input: Vec<u8>,
    /// Which use of an access request; the next one when not given.
    pub(crate) use_number: Option<u64>,
    /// How long to wait.
    pub(crate) wait: Duration,
}

/// On which way a run is ordered.
#[derive(Debug, Clone)]
pub(crate) enum Under {
    /// An access request.
    Request(RequestId),
    /// What reviewers opened.
    SelfServe {
        /// The revision.
        revision: Digest,
        /// The bindings.
        pairs: Vec<Pair>,
        /// Who executes.
        runner: RunnerName,
        /// Why, where the caller said so.
        reason: Option<FreeText>,
        /// What it is about.
        ticket: Option<Ticket>,
    },
}

/// A run that ended, with its evidence verified against the pinned keyring.
pub(crate) struct Ran {
    /// The run.
    pub(crate) view: RunView,
    /// What it gave.
    pub(crate) output: Option<Released>,
    /// Receipt and proof, verified.
    pub(crate) evidence: Option<Proved>,
}

/// A released output.
pub(crate) struct Released {
    /// Exactly as released; the receipt has its digest.
    pub(crate) bytes: Vec<u8>,
    /// Parsed.
    pub(crate) output: Output,
}

/// Evidence that was verified here.
pub(crate) struct Proved {
    /// The file.
    pub(crate) evidence: RunEvidence,
    /// What it proves.
    pub(crate) verified: executor::evidence::Verified,
}

/// Runs and shows.
pub(crate) async fn command(call: &Call<'_>, args: RunArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let wait = Duration::from_secs(args.wait);
    let trip = Trip::begin(call, &session, wait);
    if let Some(Resumed::Run(run)) = &args.resume {
        let view = session.client.run(run).await?;
        is_ours(&view, run)?;
        return trip.rest(view, None, args.out.as_deref()).await;
    }
    let cleared = match trip.cleared(&args).await? {
        Ok(cleared) => cleared,
        Err(exit) => return Ok(exit),
    };
    match <[Cleared; 1]>::try_from(cleared) {
        Ok([one]) => trip.one(one, args.out.as_deref()).await,
        Err(all) => shards::run(&trip, all, args.out.as_deref()).await,
    }
}

/// Follows a run that was ordered to its end, and fetches and verifies what it left.
async fn finish(
    session: &Session,
    view: RunView,
    until: Instant,
    teller: &mut Teller,
) -> anyhow::Result<Ran> {
    let is_over = matches!(view.state, RunState::Ended { .. });
    // Programs get every event, also of a run that was too quick to be followed.
    let view = if is_over && !teller.wants_all() {
        view
    } else {
        teller.begin(&words::place_of(&view));
        follow::follow(session, view, until, teller).await?
    };
    let authority = session.authority().await?;
    collect(session, &authority, view).await
}

/// After an emergency its caller hears what is owed for it.
async fn owes(call: &Call<'_>, session: &Session, ran: &Ran) -> anyhow::Result<()> {
    let Some(id) = ran.view.request.as_ref().filter(|_| ran.evidence.is_some()) else {
        return Ok(());
    };
    let authority = session.authority().await?;
    if super::show::is_emergency(session, &authority, Some(id)).await? {
        let label = call.out.style_err(Style::Bad, "EMERGENCY:");
        call.out
            .note(format!("{label} somebody else must look at it: borescope after-review {id}"));
    }
    Ok(())
}

/// Orders the run, waits for its end, fetches and verifies what it left.
pub(crate) async fn run(session: &Session, ask: &Ask) -> anyhow::Result<Ran> {
    let authority = session.authority().await?;
    let (run, order) = order::sign(session, &authority, ask).await?;
    let view = order::send(session, &run, &order, &ask.input).await?;
    let until = tokio::time::sleep(ask.wait).deadline();
    finish(session, view, until, &mut Teller::silent()).await
}

/// An answer about another run, however well proved, is not an answer.
pub(crate) fn is_ours(view: &RunView, run: &RunId) -> Result<(), Failure> {
    if view.id == *run {
        return Ok(());
    }
    Err(Failure::evidence(
        format!("the server shows {} for {run}", view.id),
        "the server is broken or lies; do not rely on what it shows",
    ))
}

/// Fetches what a run left, and verifies it.
pub(crate) async fn collect(
    session: &Session,
    authority: &Authority,
    view: RunView,
) -> anyhow::Result<Ran> {
    let output = match view.result {
        None => None,
        Some(_) => {
            let bytes = session.client.result(&view.id).await?;
            let output = serde_json::from_slice(&bytes)
                .with_context(|| format!("the output of {} is not of this version", view.id))?;
            Some(Released { bytes, output })
        }
    };
    let evidence = match view.receipt {
        None => None,
        Some(_) => Some(evidence(session, authority, &view.id).await?),
    };
    let wrong = |problem: String| Failure::evidence(problem, "do not rely on it");
    match (&output, &evidence) {
        (None, _) => {}
        // The runner releases an output and its receipt together.
        (Some(_), None) => {
            return Err(wrong(format!("the output of {} comes without a receipt", view.id)).into());
        }
        (Some(released), Some(proved)) => proved
            .verified
            .check_output(&released.bytes)
            .map_err(|e| wrong(format!("the output is not the one of the receipt: {e}")))?,
    }
    // Neither is a success, nor any other end that has a receipt.
    let proved = evidence.as_ref().map(|p| p.verified.receipt.outcome);
    let claimed = match view.state {
        RunState::Ended { outcome } => Some(outcome),
        RunState::Queued | RunState::Running => None,
    };
    let unproved = matches!(claimed, Some(Outcome::Denied | Outcome::Lost | Outcome::Cancelled));
    if proved != claimed && !(proved.is_none() && unproved) {
        return Err(wrong(format!(
            "the server says that {} is {}, and the receipt does not",
            view.id,
            view.state.code()
        ))
        .into());
    }
    Ok(Ran { view, output, evidence })
}

/// Puts a run's evidence together and verifies it against the pinned keyring.
pub(crate) async fn evidence(
    session: &Session,
    authority: &Authority,
    run: &RunId,
) -> anyhow::Result<Proved> {
    // With what was in force at the run, and every keyring from the first to that, so that whoever pins
    // an older one can follow.
    let bytes = session.client.evidence(run).await?;
    let evidence: RunEvidence = serde_json::from_slice(&bytes)
        .with_context(|| format!("the evidence of {run} is not of this version"))?;
    let trust = trust_of(session, authority)?;
    let verified = evidence.verify(Some(&trust)).map_err(|e| {
        Failure::evidence(
            format!("the evidence of {run} does not hold: {}", crate::exit::chain(&e.into())),
            "do not rely on the result; tell whoever runs the server",
        )
    })?;
    if verified.receipt.run != *run {
        return Err(Failure::evidence(
            format!("the server shows the evidence of {} for {run}", verified.receipt.run),
            "do not rely on the result; tell whoever runs the server",
        )
        .into());
    }
    Ok(Proved { evidence, verified })
}

/// What this context believes, as a trust file: its pin, and the logs of the verified policy.
fn trust_of(session: &Session, authority: &Authority) -> anyhow::Result<TrustFile> {
    let logs = authority.policy().runners.iter().map(|r| r.log_vkey.parse::<VerifierKey>());
    Ok(TrustFile {
        trust_domain: session.trust_domain.clone(),
        keyring: session.keyring,
        logs: logs.collect::<Result<_, _>>()?,
        witnesses: Vec::new(),
    })
}

/// Writes `output.json`, `evidence.json` and `recording.rec`.
pub(crate) async fn write(session: &Session, dir: &Path, ran: &Ran) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    if let Some(released) = &ran.output {
        put("output.json", &released.bytes)?;
    }
    if let Some(proved) = &ran.evidence {
        put("evidence.json", &serde_json::to_vec_pretty(&proved.evidence)?)?;
    }
    if ran.view.recording.is_some() {
        put("recording.rec", &session.client.recording(&ran.view.id).await?)?;
    }
    Ok(())
}

/// Shows a run that ended: tables and value on standard output, the rest beside it.
fn show(out: Out, ran: &Ran, under: Option<&Under>) -> anyhow::Result<()> {
    if out.json {
        return Ok(out.json(&json!({
            "event": "result",
            "run": ran.view,
            "output": ran.output.as_ref().map(|r| &r.output),
            "receipt": ran.evidence.as_ref().map(|p| &p.verified.receipt),
        }))?);
    }
    if let Some(denial) = &ran.view.denial {
        denied(out, ran, denial, under);
        return Ok(());
    }
    if let Some(released) = &ran.output {
        for table in &released.output.result.tables {
            let all = super::show::all_rows(&ran.view.id, table);
            out.lines(table::result(table, table::ROWS_SHOWN_MAX, 0, Some(&all)))?;
        }
        out.lines(receipt::value(&released.output.result.value))?;
        for line in receipt::told(&released.output) {
            out.note(line);
        }
    }
    match &ran.evidence {
        Some(proved) => out.notes(receipt::summary(&proved.verified, out)),
        None => {
            out.note(format!("{} is {}", ran.view.id, ran.view.state.code()));
            out.notes(words::fate(&ran.view).map(|fate| format!("  {fate}")));
        }
    }
    Ok(())
}

/// The exit code of a run: that of a script which failed where its targets did is theirs.
pub(crate) fn ended(ran: &Ran) -> Exit {
    let failed = matches!(ran.view.state, RunState::Ended { outcome: Outcome::Failed });
    match &ran.output {
        Some(released) if failed && receipt::is_targets_fault(&released.output) => Exit::Target,
        _ => exit(&ran.view.state),
    }
}

/// Says why it did not start, and where the whole story is.
fn denied(out: Out, ran: &Ran, denial: &Denial, under: Option<&Under>) {
    let pairs = match under {
        Some(Under::SelfServe { pairs, .. }) => pairs.iter().map(ToString::to_string).collect(),
        Some(Under::Request(_)) | None => Vec::new(),
    };
    let story = next::Story {
        reference: ran.view.id.to_string(),
        revision: Some(ran.view.revision.short()),
        request: ran.view.request.as_ref().map(ToString::to_string),
        pairs,
    };
    next::tell(out, denial, &story);
}

/// The exit code of a run's state.
pub(crate) const fn exit(state: &RunState) -> Exit {
    match state {
        RunState::Queued | RunState::Running => Exit::NotInTime,
        RunState::Ended { outcome } => match outcome {
            Outcome::Succeeded => Exit::Ok,
            Outcome::Failed | Outcome::Cancelled => Exit::Script,
            Outcome::Denied => Exit::Denied,
            Outcome::LimitExceeded { .. } => Exit::Limit,
            Outcome::Lost => Exit::Target,
        },
    }
}
