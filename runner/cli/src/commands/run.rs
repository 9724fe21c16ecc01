//! `borescope run`: sign a run request, wait, show the result, verify the receipt. On which way it may
//! run is in [`way`].

mod order;
mod way;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use api::types::RunView;
use clap::Args;
use domain::{Digest, Outcome, Pair, RequestId, RunId, RunState, RunnerName};
use executor::Output;
use executor::evidence::RunEvidence;
use ledger::{TrustFile, VerifierKey};
use serde_json::json;
use trust::Authority;

use super::Call;
use crate::exit::{Exit, Failure};
use crate::out::{Out, Style};
use crate::session::{Session, read_input};
use crate::view::{receipt, run as words, table};
use crate::{next, when};

/// Between two looks at a run that goes on.
const POLL: Duration = Duration::from_millis(300);

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope run stuck-orders --on shop=shop-replica --input input.json
  borescope run --request req_0198f0c0-0000-7000-8000-000000000000 --input input.json
  borescope run --request req_0198f0c0-0000-7000-8000-000000000000 --input input.json \\
      --wait 5m --out ./result

With a script instead of --request it runs at once where reviewers opened it to you, else under an
access request of yours that is approved for exactly this; else it says which one to file. The input
must be the approved one, byte for byte. --out writes output.json, evidence.json and recording.rec;
check them any time with `borescope verify` and `borescope replay`.")]
pub(crate) struct RunArgs {
    /// Revision: digest, its first digits, NAME or NAME@VERSION
    #[arg(required_unless_present = "request", conflicts_with = "request", requires = "targets")]
    reference: Option<String>,
    /// Real target for a logical one; repeat for each
    #[arg(long = "on", id = "targets", value_name = "LOGICAL=TARGET", value_parser = crate::args::pair,
        conflicts_with = "request")]
    targets: Vec<Pair>,
    /// The approved access request
    #[arg(long, value_name = "ID")]
    request: Option<RequestId>,
    /// Input file, JSON; - reads standard input
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// How long to wait for the end
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = when::duration_s)]
    wait: u64,
    /// Folder for output, evidence and recording; made if missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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
    let input = read_input(&args.input)?;
    let under = match (args.request, &args.reference) {
        (Some(request), _) => Under::Request(request),
        (None, Some(reference)) => {
            let place = args.input.display().to_string();
            let wanted = way::Wanted { reference, pairs: &args.targets, input: &input, place };
            match way::choose(call, &session, wanted).await? {
                Ok(under) => under,
                Err(exit) => return Ok(exit),
            }
        }
        (None, None) => {
            return Err(
                Failure::usage("what to run is not given", "see borescope run --help").into()
            );
        }
    };
    let ask = Ask { under, input, use_number: None, wait: Duration::from_secs(args.wait) };
    // Not before the order is signed: a passphrase or a touch may be asked for.
    let mut progress = None;
    let ran = run(&session, &ask, |what| {
        progress.get_or_insert_with(|| call.out.progress("running")).say(what);
    })
    .await?;
    drop(progress);
    if let Some(dir) = &args.out {
        write(&session, dir, &ran).await?;
    }
    show(call.out, &ran, &ask.under)?;
    owes(call, &session, &ran).await?;
    if let Some(dir) = &args.out {
        call.out.note(format!("written to {}", dir.display()));
    }
    Ok(ended(&ran))
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
pub(crate) async fn run(
    session: &Session,
    ask: &Ask,
    mut say: impl FnMut(&str),
) -> anyhow::Result<Ran> {
    let authority = session.authority().await?;
    let (run, order) = order::sign(session, &authority, ask).await?;
    let stored = session.client.store_input(ask.input.clone()).await?;
    if stored.digest != Digest::of(&ask.input) {
        return Err(
            Failure::evidence("the server stored other bytes than were sent", "try again").into()
        );
    }
    let ordered = session.client.order_run(&order, Duration::from_secs(1), None).await;
    let mut view = ordered.map_err(|e| crate::exit::about_run(&run, false, e))?;
    let client = session.client.clone().patient();
    is_ours(&view, &run)?;
    let mut waited = Duration::from_secs(1);
    while !matches!(view.state, RunState::Ended { .. }) {
        if waited >= ask.wait {
            return Err(Failure::new(
                Exit::NotInTime,
                format!("{} is still {}", view.id, view.state.code()),
                format!("it goes on; look again: borescope show {}", view.id),
            )
            .into());
        }
        say(&words::place_of(&view));
        tokio::time::sleep(POLL).await;
        waited += POLL;
        view = client.run(&run).await.map_err(|e| crate::exit::about_run(&run, true, e))?;
        is_ours(&view, &run)?;
    }
    collect(session, &authority, view).await
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
fn show(out: Out, ran: &Ran, under: &Under) -> anyhow::Result<()> {
    if out.json {
        return Ok(out.json(&json!({
            "run": ran.view,
            "output": ran.output.as_ref().map(|r| &r.output),
            "receipt": ran.evidence.as_ref().map(|p| &p.verified.receipt),
        }))?);
    }
    if let Some(denial) = &ran.view.denial {
        let on = match under {
            Under::Request(_) => String::new(),
            Under::SelfServe { pairs, .. } => format!(" --on {}", super::request::on(pairs)),
        };
        next::tell(out, denial, &format!("borescope show {} --why{on}", ran.view.id));
        return Ok(());
    }
    if let Some(released) = &ran.output {
        for table in &released.output.result.tables {
            out.lines(table::result(table, table::ROWS_SHOWN_MAX, 0))?;
            if table.rows.len() > table::ROWS_SHOWN_MAX {
                out.note(format!("all rows: {}", super::show::all_rows(&ran.view.id, table)));
            }
        }
        out.lines(receipt::value(&released.output.result.value))?;
        for line in receipt::trouble(&released.output) {
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
