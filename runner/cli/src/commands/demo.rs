//! `borescope demo`: the whole story on this machine.

use clap::Args;

use super::Call;
use crate::exit::Exit;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope demo
  borescope demo --keep        leave the server running, and show what to try
  borescope demo --json        one object a line: {step, expect, got, code, reason}

Everything happens in a temporary folder and on a loopback port. Ends with code 0 only if every
step came out as expected.")]
pub(crate) struct DemoArgs {
    /// Leave the server running until Ctrl-C
    #[arg(long)]
    keep: bool,
}

/// Plays the demo.
pub(crate) async fn command(call: &Call<'_>, args: DemoArgs) -> anyhow::Result<Exit> {
    crate::demo::play(call.out, args.keep).await
}
