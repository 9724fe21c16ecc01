//! `borescope demo`: the whole story on this machine.

use clap::Args;
use domain::manifest::Engine;

use super::Call;
use crate::exit::Exit;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope demo
  borescope demo --keep              leave the server running, and show what to try
  borescope demo --target postgres   on a primary with a streaming standby, started for it
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
}

fn engine(name: &str) -> Result<Engine, String> {
    let engine = Engine::ALL.iter().copied().find(|engine| engine.as_str() == name);
    engine.ok_or_else(|| "expected sqlite or postgres".to_owned())
}

/// Plays the demo.
pub(crate) async fn command(call: &Call<'_>, args: DemoArgs) -> anyhow::Result<Exit> {
    crate::demo::play(call.out, args.target, args.keep).await
}
