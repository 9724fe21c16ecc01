//! The way of a run: verify → spend and record the start → run → record the end → release.
//!
//! One straight path. A denial leaves it at one place; everything later ends in [`conclude`].

use std::sync::Arc;

use domain::{Denial, Outcome, Rule, RunId};
use ledger::{AppendError, Entry, Event as Logged, Position};
use sandbox::{Finished, Plan};
use serde::Serialize;
use tokio::sync::mpsc;
use trust::{ChainDocuments, OwedAfterReview, VersionRef};

use crate::events::{Ended, Output, RunEvent};
use crate::host::{OfTargets, RunHost, json};
use crate::queries::{Figures, Queries};
use crate::receipt::{self, Facts};
use crate::recording_file::{Recorded, RecordingFile};
use crate::release::Release;
use crate::runner::Inner;
use crate::state::{Claim, ServedTo};
use crate::verify::{Allowed, chain};

/// The payload of a run's first entry: what the runner was ordered, by whom, and what it decided. The
/// keyring is pinned, directory and policy are entries of their own, so they are only named.
#[derive(Serialize)]
struct StartNote<'a> {
    revision: &'a domain::Digest,
    input: &'a domain::Digest,
    effective: domain::Scope,
    reviews: &'a [domain::ReviewId],
    approvals: &'a [domain::ApprovalId],
    keyring: VersionRef,
    directory: VersionRef,
    policy: VersionRef,
    documents: &'a ChainDocuments,
    /// What is read back at the next start: whose quota it counts against,
    #[serde(skip_serializing_if = "Option::is_none")]
    self_serve: Option<&'a ServedTo>,
    /// and what is owed for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owes: Option<&'a OwedAfterReview>,
}

/// How often a run is decided whose caller starts others at the same time: each of those that starts
/// first has it decided once more.
const DECIDED_MAX: u32 = 64;

/// Executes an order. `None` when the end has been sent already.
pub(crate) async fn execute(
    inner: &Arc<Inner>,
    run: RunId,
    order: &[u8],
    events: &mpsc::Sender<RunEvent>,
) -> Option<Ended> {
    let Ok(_slot) = inner.slots.acquire().await else {
        return Some(unprovable(run, Outcome::Lost, None));
    };
    let (mut allowed, started_at_ms, start) = match begin(inner, &run, order).await {
        Ok(begun) => begun,
        Err(denial) => return Some(deny(inner, run, denial).await),
    };
    drop(events.send(RunEvent::Started { started_at_ms }).await);
    let cancel = inner.enlist(&run, std::mem::take(&mut allowed.rests_on));
    let recording = match RecordingFile::create(&inner.recordings(), &run) {
        Ok(recording) => recording,
        Err(e) => {
            tracing::error!(run.id = %run, error = %e, "recording cannot be created");
            inner.discharge(&run);
            return Some(lose(inner, run).await);
        }
    };
    let mut seed = [0; 32];
    inner.entropy.fill(&mut seed);
    let plan = Plan {
        run: run.clone(),
        revision: allowed.bundle.revision,
        manifest: Arc::clone(&allowed.bundle.manifest),
        effective: allowed.decision.effective.clone(),
        input: allowed.input.clone(),
        started_at_ms,
        seed,
    };
    let mut host = RunHost::new(
        run.clone(),
        inner.ledger.clone(),
        recording,
        Queries::new(
            Arc::clone(&allowed.bundle),
            allowed.connectors.clone(),
            plan.effective.clone(),
        )
        .as_reviewed(std::mem::take(&mut allowed.analyses)),
        events.clone(),
    );
    let wall_ms_max = allowed.decision.effective.limits.wall_ms_max;
    let finished = tokio::select! {
        finished = inner.sandbox.run(&allowed.linked, plan, &mut host, &cancel) => finished,
        never = inner.watch(&run, allowed.deadlines, wall_ms_max, &cancel) => match never {},
    };
    inner.discharge(&run);
    let (recording, figures, of_targets) = host.finish();
    conclude(
        inner,
        Run { run, allowed, start, started_at_ms, figures, of_targets },
        finished,
        recording,
        events,
    )
    .await
}

/// Verifies, decides and spends: from here on it has started.
async fn begin(
    inner: &Inner,
    run: &RunId,
    order: &[u8],
) -> Result<(Allowed, u64, Position), Denial> {
    let mut tries = 1;
    loop {
        let allowed = inner.verify(run, order).await?;
        let started_at_ms = inner.now_ms();
        match spend(inner, run, &allowed, started_at_ms).await {
            Ok(start) => return Ok((allowed, started_at_ms, start)),
            // Its caller started another one since the decision, perhaps elsewhere: decide anew.
            Err(denial) if denial.rule == Rule::SelfServeSpent && tries < DECIDED_MAX => tries += 1,
            Err(denial) => return Err(denial),
        }
    }
}

/// A run that has started.
struct Run {
    run: RunId,
    allowed: Allowed,
    start: Position,
    started_at_ms: u64,
    figures: Figures,
    of_targets: OfTargets,
}

/// Spends use and run id together with the start: one entry, one barrier.
async fn spend(
    inner: &Inner,
    run: &RunId,
    allowed: &Allowed,
    started_at_ms: u64,
) -> Result<Position, Denial> {
    let claim = &allowed.claim;
    if !inner.state.spend(run, claim, started_at_ms) {
        return Err(spent_meanwhile(run, claim));
    }
    let event = Logged::RunStarted {
        run: run.clone(),
        order: allowed.run_request,
        request: claim.request(),
        use_number: claim.use_number(),
        break_glass: claim.owes().is_some(),
    };
    let note = StartNote {
        revision: &allowed.bundle.revision,
        input: &allowed.input_digest,
        effective: allowed.decision.effective.scope(),
        reviews: &allowed.decision.reviews,
        approvals: &allowed.decision.approvals,
        keyring: allowed.authority.keyring_ref(),
        directory: allowed.authority.directory_ref(),
        policy: allowed.authority.policy_ref(),
        documents: &allowed.documents,
        self_serve: claim.served(),
        owes: claim.owes(),
    };
    // If we die before this returns, the use may or may not be spent, and nothing has run. After it,
    // the use is spent, an emergency is owed, and a run that does not end is closed as lost at the next start.
    inner.ledger.append_durable(Entry::new(event, json(&note))).await.map_err(|e| not_recorded(&e))
}

/// Another order took it between the decision and now.
fn spent_meanwhile(run: &RunId, claim: &Claim) -> Denial {
    match claim {
        Claim::Use { number, .. } => Denial::new(
            Rule::UseSpent,
            format!("use {number} of the access request, or {run}, was spent just now"),
            "run again to take the next use",
        ),
        Claim::SelfServe { .. } => Denial::new(
            Rule::SelfServeSpent,
            format!("another run without an approval, or {run}, was started just now"),
            "run again, if runs are left",
        ),
    }
}

fn not_recorded(error: &AppendError) -> Denial {
    Denial::new(
        Rule::NotRecorded,
        chain(error),
        "nothing runs unrecorded; the operator must repair the log's storage and restart the runner",
    )
}

/// The one exit for runs that never start.
async fn deny(inner: &Inner, run: RunId, denial: Denial) -> Ended {
    tracing::info!(run.id = %run, rule = denial.rule.code(), "run is denied");
    let event = Logged::RunDenied { run: run.clone() };
    let recorded = inner.ledger.append_durable(Entry::new(event, json(&denial))).await;
    let proof = recorded.ok().and_then(|p| inner.ledger.proof(p).ok());
    Ended { proof, ..unprovable(run, Outcome::Denied, Some(denial)) }
}

fn unprovable(run: RunId, outcome: Outcome, denial: Option<Denial>) -> Ended {
    Ended { run, outcome, denial, output: None, recording: None, receipt: None, proof: None }
}

/// Closes a run whose recording failed; nothing of it leaves.
async fn lose(inner: &Inner, run: RunId) -> Ended {
    let event = Logged::RunLost { run: run.clone() };
    let recorded = inner.ledger.append_durable(Entry::new(event, Vec::new())).await;
    let proof = recorded.ok().and_then(|p| inner.ledger.proof(p).ok());
    Ended { proof, ..unprovable(run, Outcome::Lost, None) }
}

/// Completes the recording, signs the receipt, and releases the output.
async fn conclude(
    inner: &Inner,
    run: Run,
    finished: Finished,
    recording: RecordingFile,
    events: &mpsc::Sender<RunEvent>,
) -> Option<Ended> {
    if let Some(problem) = &finished.recording_failed {
        tracing::error!(run.id = %run.run, problem, "run stopped: it could not be recorded");
        return Some(lose(inner, run.run).await);
    }
    let complete = tokio::task::spawn_blocking(move || recording.complete()).await;
    let recorded: Recorded = match complete.map_err(std::io::Error::other).and_then(|r| r) {
        Ok(recorded) => recorded,
        Err(e) => {
            tracing::error!(run.id = %run.run, error = %e, "recording cannot be completed");
            return Some(lose(inner, run.run).await);
        }
    };
    let outcome = finished.outcome;
    let facts = Facts::of(&finished, &run.allowed, run.started_at_ms, run.figures, recorded.digest);
    let output = String::from_utf8(json(&output(finished, run.of_targets))).unwrap_or_default();
    let receipt = match receipt::sign(inner, &run.run, run.start, facts, &output) {
        Ok(receipt) => receipt,
        Err(e) => {
            tracing::error!(run.id = %run.run, error = %chain(&e), "receipt cannot be signed");
            return Some(lose(inner, run.run).await);
        }
    };
    let closing = Logged::RunFinished {
        run: run.run.clone(),
        outcome,
        recording: recorded.digest,
        receipt: Some(receipt.payload_digest()),
    };
    let closing = Entry::new(closing, json(&receipt));
    let bytes = output.len() as u64 + recorded.bytes;
    let note = json(&domain::Digest::of(output.as_bytes()));
    let release = Release { ledger: &inner.ledger, run: &run.run };
    let sent = release
        .send(bytes, note, Some(closing), events, |last| {
            inner.state.release(&run.run, recorded.digest);
            RunEvent::Ended(Box::new(Ended {
                run: run.run.clone(),
                outcome,
                denial: None,
                output: Some(output),
                recording: Some(recorded.digest),
                receipt: Some(receipt),
                proof: inner.ledger.proof(last).ok(),
            }))
        })
        .await;
    match sent {
        Ok(()) => None,
        Err(e) => {
            tracing::error!(run.id = %run.run, error = %chain(&e), "output is withheld: its release cannot be recorded");
            Some(unprovable(run.run.clone(), Outcome::Lost, None))
        }
    }
}

fn output(finished: Finished, of_targets: OfTargets) -> Output {
    let OfTargets { troubles, lags } = of_targets;
    Output {
        troubles,
        lags,
        result: finished.result,
        error: finished.error,
        log: finished.log,
        stdout: finished.stdout,
        stderr: finished.stderr,
        limits_hit: finished.limits_hit,
        fuel_used: finished.fuel_used,
        wall_ms: finished.wall_ms,
    }
}
