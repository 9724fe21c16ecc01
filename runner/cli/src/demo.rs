//! The demo: the whole story through the real API with the real client code, and then everything that
//! must be refused.
//!
//! Nothing here is simulated: the commands' own functions talk HTTP to a server of this process, and
//! each refusal is the answer that a user would get. [`stage`] sets everything up, [`steps`] is the
//! story, [`refusals`] are the attacks, [`report`] says how each came out.

mod closing;
mod people;
mod postgres;
mod production;
mod refusals;
mod report;
mod shop;
mod stage;
mod steps;

use std::path::Path;

use domain::manifest::Engine;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::out::{Out, Style};

use report::Report;
use stage::Stage;

/// The bundles that the build embedded.
#[expect(unreachable_pub, reason = "the build script writes one file for two crates")]
mod bundles {
    include!(concat!(env!("OUT_DIR"), "/bundles.rs"));
}

/// Makes the sample database of SQLite.
pub(crate) fn make_shop(path: &Path) -> anyhow::Result<()> {
    Ok(shop::create(path)?)
}

/// Plays it; every step is reported as it happens.
pub(crate) async fn play(out: Out, engine: Engine, keep: bool) -> anyhow::Result<Exit> {
    let mut report = Report::new(out);
    report.heading("Set-up")?;
    let stage = Stage::build(&mut report, engine).await?;
    report.heading("The story: submit, review, request, approve, run, prove")?;
    let story = steps::play(&stage, &mut report).await?;
    report.heading("What is refused, in the words that a user sees")?;
    refusals::play(&stage, &story, &mut report).await?;
    let exit = report.close()?;
    if !out.json {
        closing::show(&stage, keep, out)?;
    }
    if keep {
        if out.json {
            out.note(format!("the server runs on {} until Ctrl-C", stage.url));
        }
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => done?,
            _ = terminate.recv() => {}
        }
        out.note(out.style_err(Style::Dim, "stopping; the folder is removed"));
    }
    stage.close().await?;
    Ok(exit)
}
