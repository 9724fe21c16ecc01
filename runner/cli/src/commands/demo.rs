//! `borescope demo`: the whole story on this machine.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::manifest::Engine;

use super::Call;
use crate::exit::{Exit, Failure};

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope demo
  borescope demo --keep              leave the server running, and show what to try
  borescope demo --target postgres   on a primary with a streaming standby, started for it
  borescope demo --shop shop.sqlite  only make the sample database, to try things with
  borescope demo --json              one object a line: {step, expect, got, code, reason}

Everything happens in a temporary folder and on a loopback port. Ends with code 0 only if every
step came out as expected.")]
pub(crate) struct DemoArgs {
    /// Leave the server running until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// What production runs on: sqlite, or postgres where a PostgreSQL server is installed
    #[arg(long, default_value = "sqlite", value_parser = engine, value_name = "ENGINE")]
    target: Engine,
    /// Only make the sample shop's SQLite database, 50,000 orders up to 2026-11-22
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keep", "target"])]
    shop: Option<PathBuf>,
}

fn engine(name: &str) -> Result<Engine, String> {
    let engine = Engine::ALL.iter().copied().find(|engine| engine.as_str() == name);
    engine.ok_or_else(|| "expected sqlite or postgres".to_owned())
}

/// Plays the demo.
pub(crate) async fn command(call: &Call<'_>, args: DemoArgs) -> anyhow::Result<Exit> {
    if let Some(path) = &args.shop {
        return shop(call, path);
    }
    crate::demo::play(call.out, args.target, args.keep).await
}

/// Makes the database, and never in place of a file that is there.
fn shop(call: &Call<'_>, path: &Path) -> anyhow::Result<Exit> {
    if path.exists() {
        let help = "name a file that is not there";
        return Err(Failure::usage(format!("{} is there already", path.display()), help).into());
    }
    let progress = call.out.progress("making the sample shop");
    crate::demo::make_shop(path).with_context(|| format!("cannot make {}", path.display()))?;
    drop(progress);
    call.out.note(format!("{} has the orders of a sample shop", path.display()));
    Ok(Exit::Ok)
}
