//! `borescope replay`: run a recording again on this machine and compare every call. No target is
//! reached and nothing is signed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use domain::{Digest, RunId};
use executor::replay::replay;
use sandbox::recording::Recording;
use sandbox::{Replay, Sandbox, SandboxOptions};
use serde_json::json;

use super::Call;
use crate::bundle::Bundle;
use crate::exit::{Exit, Failure};
use crate::out::{Out, Style};
use crate::session::{Session, World};
use crate::view::number;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope replay run_0198f0c0-0000-7000-8000-000000000000
  borescope replay result/recording.rec --bundle ./stuck-orders

Ends with code 0 when every call, all output and the fuel are the same, with 7 otherwise.")]
pub(crate) struct ReplayArgs {
    /// Run id, or a recording file
    what: String,
    /// Folder with the bundle, for a recording file; else it is fetched
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
}

/// Replays and says what it found.
pub(crate) async fn command(call: &Call<'_>, args: ReplayArgs) -> anyhow::Result<Exit> {
    let (recording, bundle) = match args.what.parse::<RunId>() {
        Ok(run) => {
            let session = call.session().await?;
            fetch(&session, &run).await?
        }
        Err(_) => {
            let path = Path::new(&args.what);
            let bytes = std::fs::read(path).map_err(|e| {
                Failure::usage(
                    format!("{} is neither a run id nor a readable file: {e}", path.display()),
                    "list runs: borescope runs",
                )
            })?;
            let bundle = match &args.bundle {
                Some(dir) => Bundle::read(dir)?,
                None => call.session().await?.fetch(&revision_of(&bytes)?).await?,
            };
            (bytes, bundle)
        }
    };
    let progress = call.out.progress("replaying");
    let found = again(&recording, &bundle).await?;
    drop(progress);
    show(call.out, &found)
}

/// A run's recording and the bundle that ran.
pub(crate) async fn fetch(session: &Session, run: &RunId) -> anyhow::Result<(Vec<u8>, Bundle)> {
    let recording = session.client.recording(run).await?;
    let bundle = session.fetch(&revision_of(&recording)?).await?;
    Ok((recording, bundle))
}

fn revision_of(recording: &[u8]) -> anyhow::Result<Digest> {
    let parsed = Recording::parse(recording)?;
    let header = parsed.header().context("the recording has no header")?;
    Ok(header.revision)
}

/// Replays in a sandbox of this process.
pub(crate) async fn again(recording: &[u8], bundle: &Bundle) -> anyhow::Result<Replay> {
    let mut mac_key = [0; 32];
    World::real().entropy.fill(&mut mac_key);
    let sandbox = Sandbox::new(SandboxOptions {
        artifact_dir: None,
        mac_key,
        concurrent_runs_max: 1,
        concurrent_compiles_max: 1,
        compile_ms_max: 60_000,
    })?;
    let component: Arc<[u8]> = bundle.component()?.into();
    Ok(replay(&sandbox, recording, component, Arc::new(bundle.manifest.clone())).await?)
}

fn show(out: Out, found: &Replay) -> anyhow::Result<Exit> {
    match found {
        Replay::Matches(finished) => {
            if out.json {
                out.json(&json!({ "replay": "matches", "outcome": finished.outcome, "fuel_used": finished.fuel_used }))?;
            } else {
                let good = out.style(Style::Good, "matches");
                out.line(format!(
                    "replay {good}: same calls, output, outcome ({}) and fuel ({})",
                    finished.outcome.code(),
                    number(finished.fuel_used)
                ))?;
            }
            return Ok(Exit::Ok);
        }
        Replay::Diverged { call, name, expected, got } => {
            if out.json {
                out.json(&json!({ "replay": "diverged", "call": call, "name": name, "expected": expected, "got": got }))?;
            } else {
                let place =
                    call.map_or_else(|| "at the end".to_owned(), |c| format!("at call {c}"));
                out.line(format!("replay {} {place}, {name}", out.style(Style::Bad, "diverges")))?;
                out.line(format!("  recorded {expected}"))?;
                out.line(format!("  replayed {got}"))?;
            }
        }
        Replay::OtherEngine { recorded, here } => {
            if out.json {
                out.json(&json!({ "replay": "other-engine", "recorded": recorded, "here": here }))?;
            } else {
                out.line(format!("recorded by engine build {recorded}; this is {here}"))?;
                out.note("help: replay it with the build that made it");
            }
        }
        Replay::Damaged { problem } => {
            if out.json {
                out.json(&json!({ "replay": "damaged", "problem": problem }))?;
            } else {
                out.line(format!(
                    "the recording is {}: {problem}",
                    out.style(Style::Bad, "damaged")
                ))?;
            }
        }
    }
    Ok(Exit::Evidence)
}
