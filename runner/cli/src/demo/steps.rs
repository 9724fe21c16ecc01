//! The story: what works, from a submitted script to evidence that an auditor checks offline.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use domain::decide::Verdict;
use domain::{Digest, Outcome, RequestId, RunState};
use ledger::TrustFile;
use sandbox::Replay;

use super::people::pairs;
use super::report::Report;
use super::stage::Stage;
use crate::bundle::Bundle;
use crate::commands::run::Ran;
use crate::commands::{approve, replay, request, review, run, submit};
use crate::exit::Failure;
use crate::narrow::NarrowArgs;
use crate::session::Session;
use crate::view::{count, number, table};

/// Rows of a table that the demo shows.
const ROWS_SHOWN: usize = 8;
/// Longer than any run of the demo.
const WAIT: Duration = Duration::from_secs(30);
/// What alice wants to know.
pub(super) const STUCK_INPUT: &[u8] =
    br#"{"since":"2026-10-01T00:00:00Z","paid_before":"2026-11-20T00:00:00Z","samples":1}"#;
/// A customer who complained.
const TIMELINE_INPUT: &[u8] = br#"{"order":"SO-100042"}"#;

/// What the refusals build on.
pub(super) struct Story {
    /// The reviewed revision of `stuck-orders`.
    pub(super) stuck: Digest,
    /// Its approved access request, whose uses are spent.
    pub(super) request: RequestId,
    /// Where the first run's files are.
    pub(super) result: PathBuf,
}

/// Plays it.
pub(super) async fn play(stage: &Stage, report: &mut Report) -> anyhow::Result<Story> {
    let (alice, bob) = (&stage.alice, &stage.bob);
    let submitted = submit::submit(alice, &stage.bundle("stuck-orders"), || ()).await;
    let submitted = report.ok("alice submits the script stuck-orders", submitted, |s| {
        format!("revision {}, signed by alice", s.revision)
    })?;
    let bundle = bob.fetch(&submitted.revision).await?;
    let reviewed = review_it(bob, &bundle).await;
    report.ok("bob reviews it for shop-replica", reviewed, |id| {
        let queries =
            count(bundle.manifest.queries.len() as u64, "query").replace("querys", "queries");
        format!(
            "{id}: approve; ceiling: {queries}, fuel {}",
            number(bundle.manifest.limits.fuel_max)
        )
    })?;
    let filed = ask(alice, &bundle, STUCK_INPUT, 2, 3600).await;
    let request = report.ok("alice asks to run it twice, with this input", filed, |id| {
        format!(
            "{id}: \"parcels are late\", INC-2041; the input's exact bytes: {}",
            String::from_utf8_lossy(STUCK_INPUT)
        )
    })?;
    let approved = approve_it(bob, &request).await;
    report.ok("bob verifies the documents and approves", approved, |id| {
        format!("{id}: lists the exact reviews and the policy that bob's client verified")
    })?;
    let ran = succeed(alice, &request, STUCK_INPUT).await;
    let ran = report.ok("alice runs it", ran, |ran| {
        let rows = ran.evidence.as_ref().map_or(0, |p| p.verified.receipt.rows);
        let lags = ran.output.as_ref().map(|r| crate::view::receipt::lags(&r.output));
        let lags = lags.into_iter().flatten().map(|lag| format!("; {lag}"));
        let read = format!("{} succeeded and read {}", ran.view.id, count(rows, "row"));
        [read].into_iter().chain(lags).collect()
    })?;
    show_tables(report, &ran)?;
    let result = stage.dir().join("result");
    prove(stage, report, &ran, &result).await?;
    let again = succeed(alice, &request, STUCK_INPUT).await;
    report.ok("alice uses the grant's second use", again, |again| {
        let same = value(again) == value(&ran);
        format!("{}: {} result", again.view.id, if same { "the same" } else { "another" })
    })?;
    second_script(stage, report).await?;
    Ok(Story { stuck: submitted.revision, request, result })
}

fn value(ran: &Ran) -> Option<&serde_json::Value> {
    ran.output.as_ref().map(|released| &released.output.result.value)
}

/// The way of another script, in one step.
async fn second_script(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let ran = async {
        let request = grant(stage, "customer-timeline", TIMELINE_INPUT).await?;
        succeed(&stage.alice, &request, TIMELINE_INPUT).await
    };
    let step = "the same way for customer-timeline, about one order";
    let ran = report.ok(step, ran.await, |ran| {
        format!("{}: the script cannot look at anybody else's orders", ran.view.id)
    })?;
    if let Some(released) = &ran.output
        && let Some(last) = released.output.result.tables.last()
    {
        report.block(&table::result(last, ROWS_SHOWN, 4, None))?;
        report.gap()?;
    }
    Ok(())
}

fn show_tables(report: &Report, ran: &Ran) -> anyhow::Result<()> {
    let released = ran.output.as_ref().context("the run has no output")?;
    let mut tables = released.output.result.tables.iter();
    if let Some(first) = tables.next() {
        report.block(&table::result(first, ROWS_SHOWN, 4, None))?;
    }
    for more in tables {
        let rows = count(more.rows.len() as u64, "row");
        report.block(&[format!("and a table {} ({rows})", crate::out::foreign(&more.name))])?;
    }
    report.gap()
}

/// Receipt, replay and journal.
async fn prove(
    stage: &Stage,
    report: &mut Report,
    ran: &Ran,
    result: &std::path::Path,
) -> anyhow::Result<()> {
    run::write(&stage.alice, result, ran).await?;
    let trust = TrustFile::parse(&stage.trust.toml())?;
    let verified = offline(result, &trust);
    report.ok("an auditor verifies the receipt offline", verified, |standing| {
        format!("evidence.json, output.json and recording.rec against trust.toml: {standing}")
    })?;
    let replayed = replay_it(stage, ran).await;
    report.ok("the run replays", replayed, |fuel| {
        format!(
            "same component, same engine: every call, all output and the fuel ({}) match",
            number(*fuel)
        )
    })?;
    let journal = ledger::verify_journal(&stage.data.ledger(), Some(&trust)).map_err(Into::into);
    report.ok("an auditor verifies the whole journal offline", journal, |r| {
        format!(
            "{} from the first on, {} covered by the signed checkpoint",
            count(r.entries, "entry").replace("entrys", "entries"),
            number(r.covered)
        )
    })?;
    Ok(())
}

fn offline(result: &std::path::Path, trust: &TrustFile) -> anyhow::Result<String> {
    let read = |name: &str| std::fs::read(result.join(name));
    let evidence = executor::evidence::parse(&read("evidence.json")?)?;
    let verified = evidence.verify(Some(trust))?;
    verified.check_output(&read("output.json")?)?;
    verified.check_recording(&read("recording.rec")?)?;
    Ok(verified.standing.to_string())
}

async fn replay_it(stage: &Stage, ran: &Ran) -> anyhow::Result<u64> {
    let (recording, bundle) = replay::fetch(&stage.alice, &ran.view.id).await?;
    match replay::again(&recording, &bundle).await? {
        Replay::Matches(finished) => Ok(finished.fuel_used),
        other => {
            Err(Failure::evidence(format!("the replay differs: {other:?}"), "report this").into())
        }
    }
}

/// Signs 'approve' for a bundle that was hashed here.
pub(super) async fn review_it(session: &Session, bundle: &Bundle) -> anyhow::Result<String> {
    let comment = "read every query".parse()?;
    let said = review::Said {
        verdict: Verdict::Approve,
        ceiling: bundle.manifest.asks(&pairs()?).scope(),
        self_serve: Vec::new(),
        rebuilt: trust::Rebuilt::NotTried,
        comment,
    };
    let authority = session.authority().await?;
    let seen = review::Seen::all(session, &authority, bundle, &said.ceiling).await?;
    let filed = review::file(session, bundle, said, &seen).await?;
    Ok(filed.id)
}

/// Files an access request.
pub(super) async fn ask(
    session: &Session,
    bundle: &Bundle,
    input: &[u8],
    uses: u64,
    life_s: u64,
) -> anyhow::Result<RequestId> {
    let ask = request::Ask {
        pairs: pairs()?,
        input: input.to_vec(),
        reason: "parcels are late".parse()?,
        ticket: Some("INC-2041".parse()?),
        uses,
        duration_s: life_s,
        until: session.world.now().plus_s(i64::try_from(life_s)?),
        break_glass: false,
        narrow: NarrowArgs::default(),
    };
    let filed = request::file(session, bundle, &ask).await?;
    Ok(filed.id.parse()?)
}

/// Verifies and approves an access request.
pub(super) async fn approve_it(session: &Session, request: &RequestId) -> anyhow::Result<String> {
    let checked = approve::check(session, request).await?;
    let bounds = approve::everything(&checked.requested);
    let judged = checked.judge(session, &bounds)??;
    let filed = approve::file(session, &checked, &bounds, &judged, "go ahead".parse()?).await?;
    Ok(filed.id)
}

/// Submits, reviews, requests and approves an embedded bundle; the grant has one use.
pub(super) async fn grant(stage: &Stage, name: &str, input: &[u8]) -> anyhow::Result<RequestId> {
    let submitted = submit::submit(&stage.alice, &stage.bundle(name), || ()).await?;
    let bundle = stage.bob.fetch(&submitted.revision).await?;
    review_it(&stage.bob, &bundle).await?;
    let request = ask(&stage.alice, &bundle, input, 1, 3600).await?;
    approve_it(&stage.bob, &request).await?;
    Ok(request)
}

/// Runs the next use, whatever comes of it.
pub(super) async fn attempt(
    session: &Session,
    request: &RequestId,
    input: &[u8],
    use_number: Option<u64>,
) -> anyhow::Result<Ran> {
    let under = run::Under::Request(request.clone());
    let ask = run::Ask { under, input: input.to_vec(), use_number, wait: WAIT };
    run::run(session, &ask).await
}

/// Runs the next use, which must succeed and leave verified evidence.
async fn succeed(session: &Session, request: &RequestId, input: &[u8]) -> anyhow::Result<Ran> {
    let ran = attempt(session, request, input, None).await?;
    let done = RunState::Ended { outcome: Outcome::Succeeded };
    if ran.view.state == done && ran.evidence.is_some() {
        return Ok(ran);
    }
    let why = match (&ran.view.denial, &ran.output) {
        (Some(denial), _) => denial.to_string(),
        (None, Some(released)) => {
            released.output.error.as_ref().map(|e| e.message.clone()).unwrap_or_default()
        }
        (None, None) => "it has no evidence".to_owned(),
    };
    Err(Failure::evidence(
        format!("{} is {}: {why}", ran.view.id, ran.view.state.code()),
        "report this",
    )
    .into())
}
