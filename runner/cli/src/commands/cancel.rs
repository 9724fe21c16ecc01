//! `borescope cancel`: end a live run.

use clap::Args;
use domain::RunId;

use super::Call;
use crate::exit::Exit;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope cancel run_0198f0c0-0000-7000-8000-000000000000

The use is spent, and what was recorded stays: a cancelled run can be replayed.")]
pub(crate) struct CancelArgs {
    /// The run
    run: RunId,
}

/// Cancels.
pub(crate) async fn command(call: &Call<'_>, args: CancelArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let run = session.client.cancel(&args.run).await?;
    if call.out.json {
        call.out.json(&run)?;
    } else {
        call.out.line(format!("{} is {}", run.id, run.state.code()))?;
    }
    Ok(Exit::Ok)
}
