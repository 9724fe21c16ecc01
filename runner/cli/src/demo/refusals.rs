//! What is refused. Each attack goes through the same door as honest use, and the words are those of
//! whoever refuses: the client, the control plane, or (mostly) the runner.

use std::time::Duration;

use anyhow::Context as _;
use domain::decide::StopSubject;
use domain::{Outcome, RequestId, RunState};
use ledger::TrustFile;
use trust::{AccessRequest, Envelope};

use super::report::{Got, Refusal, Report};
use super::stage::{Stage, manifest_for};
use super::steps::{STUCK_INPUT, Story, approve_it, ask, attempt, grant, review_it};
use crate::bundle::Bundle;
use crate::commands::run::Ran;
use crate::commands::{request, stop, submit};
use crate::exit::Failure;
use crate::narrow::NarrowArgs;
use crate::session::{Session, wire};

/// Another question than the approved one.
const OTHER_INPUT: &[u8] =
    br#"{"since":"2026-01-01T00:00:00Z","paid_before":"2026-11-20T00:00:00Z","samples":8}"#;
/// Input of `payment-mismatch`.
const PAYMENTS_INPUT: &[u8] = br#"{"since":"2026-11-01T00:00:00Z"}"#;
/// The one order that `unknown-query` may look at.
const ORDER_INPUT: &[u8] = br#"{"order":"SO-100042"}"#;
/// A manifest under which the component's import of `sql` is not effective.
const NO_QUERIES: &str = "[script]\nname = \"no-queries\"\nversion = \"1.0.0\"\n\
                          summary = \"Declares no query, but its component imports sql\"\n\n\
                          [targets.shop]\nengine = \"sqlite\"\n";
/// Seconds that the short grant is open; approving takes a fraction of one.
const SHORT_S: u64 = 2;

/// Plays all of them.
pub(super) async fn play(stage: &Stage, story: &Story, report: &mut Report) -> anyhow::Result<()> {
    let alice = &stage.alice;
    let stuck = alice.fetch(&story.stuck).await?;
    // Approved now, used at the end: by then it is over.
    let short = ask(alice, &stuck, STUCK_INPUT, 1, SHORT_S).await?;
    approve_it(&stage.bob, &short).await?;
    let short_made = stage.alice.world.now();

    let unreviewed = submit::submit(alice, &stage.bundle("payment-mismatch"), || ()).await?;
    let unreviewed = alice.fetch(&unreviewed.revision).await?;
    let got = reviewless(stage, &unreviewed).await;
    report.refused("alice runs a revision that nobody reviewed", "review-missing", got)?;
    let got = own_review(stage, &unreviewed).await;
    report.refused("alice reviews her own script", "forbidden", got)?;
    let got = changed_byte(stage, &stuck).await;
    report.refused(
        "one byte of a signed access request is changed: 1 use to 9",
        "document-invalid",
        got,
    )?;
    let got = other_input(stage, &stuck).await;
    report.refused("alice runs with another input than approved", "input-not-approved", got)?;
    let got = ran(attempt(alice, &story.request, STUCK_INPUT, Some(1)).await);
    report.refused("alice spends a use twice", "use-spent", got)?;
    let got = ran(attempt(&stage.mallory, &story.request, STUCK_INPUT, None).await);
    report.refused("mallory runs under alice's grant", "document-invalid", got)?;
    let got = ineffective_import(stage).await;
    report.refused(
        "a component imports sql, which its manifest never asks for",
        "component-refused",
        got,
    )?;
    let got = unknown_query(stage).await;
    report.refused("a script opens a query that is not in its bundle", "denied", got)?;
    let got = burn(stage).await;
    report.refused("a script computes without end", "fuel", got)?;
    let got = tampered_evidence(stage, story);
    report.refused("one byte of the recording is changed", "evidence-invalid", got)?;
    wait_until_over(stage, short_made).await;
    let got = ran(attempt(alice, &short, STUCK_INPUT, None).await);
    report.refused("alice uses a grant after its end", "grant-expired", got)?;
    let got = stopped(stage, story, &stuck).await;
    report.refused("carol stops the revision, then alice runs it", "stopped", got)
}

/// A run that was denied or hit a limit, as a refusal.
fn ran(ran: anyhow::Result<Ran>) -> anyhow::Result<Got> {
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => return Ok(Got::Refused(Refusal::of(&error))),
    };
    if let Some(denial) = &ran.view.denial {
        return Ok(Got::Refused(Refusal {
            code: denial.rule.code().to_owned(),
            reason: denial.fact.clone(),
            help: Some(denial.help.clone()),
        }));
    }
    match ran.view.state {
        RunState::Ended { outcome: Outcome::LimitExceeded { limit } } => {
            let error = ran.output.and_then(|released| released.output.error);
            let place = error.and_then(|e| e.frames.into_iter().next()).map(|f| f.function);
            let place = place.map(|f| format!(", in {f}")).unwrap_or_default();
            Ok(Got::Refused(Refusal {
                code: limit.code().to_owned(),
                reason: format!(
                    "the run ended at its limit `{limit}`{place}; it is recorded and replays"
                ),
                help: Some(
                    "make the script cheaper, or ask for more in manifest and review".to_owned(),
                ),
            }))
        }
        other => Ok(Got::Through(format!("{} is {}", ran.view.id, other.code()))),
    }
}

async fn reviewless(stage: &Stage, bundle: &Bundle) -> anyhow::Result<Got> {
    let request = ask(&stage.alice, bundle, PAYMENTS_INPUT, 1, 3600).await?;
    ran(attempt(&stage.alice, &request, PAYMENTS_INPUT, None).await)
}

async fn own_review(stage: &Stage, bundle: &Bundle) -> anyhow::Result<Got> {
    Ok(match review_it(&stage.alice, bundle).await {
        Ok(_) => Got::Through("her review was taken".to_owned()),
        Err(error) => Got::Refused(Refusal::of(&error)),
    })
}

/// Signs an honest request for one use and sends it with nine.
async fn changed_byte(stage: &Stage, bundle: &Bundle) -> anyhow::Result<Got> {
    let alice = &stage.alice;
    let envelope = alice.sign(&honest_request(alice, bundle).await?)?;
    let payload = String::from_utf8(envelope.payload().to_vec())?;
    let changed = payload.replace("\"uses\":1,", "\"uses\":9,");
    anyhow::ensure!(changed != payload, "the request's payload has no `uses` to change");
    let forged = Envelope::assemble(
        envelope.payload_type().to_owned(),
        changed.into_bytes(),
        envelope.signatures().to_vec(),
    )?;
    Ok(match alice.client.request_access(&wire(&forged)?).await {
        Ok(filed) => Got::Through(format!("{} was accepted", filed.id)),
        Err(error) => Got::Refused(Refusal::of(&error.into())),
    })
}

async fn honest_request(alice: &Session, bundle: &Bundle) -> anyhow::Result<AccessRequest> {
    let authority = alice.authority().await?;
    let ask = request::Ask {
        pairs: super::people::pairs()?,
        input: STUCK_INPUT.to_vec(),
        reason: "parcels are late".parse()?,
        ticket: None,
        uses: 1,
        duration_s: 3600,
        until: alice.world.now().plus_s(3600),
        break_glass: false,
        narrow: NarrowArgs::default(),
    };
    request::document(alice, bundle, &ask, authority.policy())
}

async fn other_input(stage: &Stage, bundle: &Bundle) -> anyhow::Result<Got> {
    let request = ask(&stage.alice, bundle, STUCK_INPUT, 1, 3600).await?;
    approve_it(&stage.bob, &request).await?;
    ran(attempt(&stage.alice, &request, OTHER_INPUT, None).await)
}

/// Reviewed and approved by people who overlooked it: the runner does not link what is not
/// effective.
async fn ineffective_import(stage: &Stage) -> anyhow::Result<Got> {
    let dir = stage.bundle("no-queries");
    std::fs::create_dir_all(&dir)?;
    std::fs::copy(
        stage.bundle("unknown-query").join("component.wasm"),
        dir.join("component.wasm"),
    )?;
    let manifest = manifest_for(stage.engine(), NO_QUERIES.as_bytes())?;
    std::fs::write(dir.join("script.toml"), manifest)?;
    let request = match grant(stage, "no-queries", b"{}").await {
        Ok(request) => request,
        Err(error) => return Ok(Got::Refused(Refusal::of(&error))),
    };
    ran(attempt(&stage.alice, &request, b"{}", None).await)
}

/// The run itself is honest and succeeds; the script reports what it was told.
async fn unknown_query(stage: &Stage) -> anyhow::Result<Got> {
    let request = grant(stage, "unknown-query", ORDER_INPUT).await?;
    let done = attempt(&stage.alice, &request, ORDER_INPUT, None).await?;
    let Some(released) = done.output.as_ref().filter(|r| r.output.error.is_none()) else {
        return ran(Ok(done));
    };
    let told = released.output.result.value["unknown_query"].as_str();
    let told = told.context("the script reports no `unknown_query`")?.to_owned();
    match told.split_once(": ") {
        Some((code, words)) => Ok(Got::Refused(Refusal {
            code: code.to_owned(),
            reason: format!("the script is told: {words}"),
            help: Some(
                "the target saw nothing; only queries of the reviewed bundle can be opened"
                    .to_owned(),
            ),
        })),
        None => Ok(Got::Through(told)),
    }
}

async fn burn(stage: &Stage) -> anyhow::Result<Got> {
    let request = grant(stage, "fuel-burner", b"{}").await?;
    ran(attempt(&stage.alice, &request, b"{}", None).await)
}

fn tampered_evidence(stage: &Stage, story: &Story) -> anyhow::Result<Got> {
    let evidence = std::fs::read(story.result.join("evidence.json"))?;
    let mut recording = std::fs::read(story.result.join("recording.rec"))?;
    let middle = recording.len() / 2;
    recording[middle] ^= 1;
    let trust = TrustFile::parse(&stage.trust.toml())?;
    let verified = executor::evidence::parse(&evidence)?.verify(Some(&trust))?;
    Ok(match verified.check_recording(&recording) {
        Ok(()) => Got::Through("the recording was accepted".to_owned()),
        Err(error) => {
            let help = "do not rely on it; get the recording again, and ask who changed it";
            Got::Refused(Refusal::of(&Failure::evidence(error.to_string(), help).into()))
        }
    })
}

/// Real time: the short grant began before the other attacks, so little is left to wait.
async fn wait_until_over(stage: &Stage, made: domain::Timestamp) {
    let over = made.plus_s(i64::try_from(SHORT_S).unwrap_or(i64::MAX)).plus_s(1);
    while stage.alice.world.now() < over {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn stopped(stage: &Stage, story: &Story, bundle: &Bundle) -> anyhow::Result<Got> {
    let request: RequestId = ask(&stage.alice, bundle, STUCK_INPUT, 1, 3600).await?;
    approve_it(&stage.bob, &request).await?;
    let subject = StopSubject::Revision(story.stuck);
    stop::file(&stage.carol, subject, "drill: reads too much".parse()?).await?;
    ran(attempt(&stage.alice, &request, STUCK_INPUT, None).await)
}
