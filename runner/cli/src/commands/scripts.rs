//! `borescope scripts`: what there is.

use clap::Args;

use super::Call;
use crate::exit::Exit;
use crate::view::table;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  borescope scripts\n  borescope scripts --json")]
pub(crate) struct ScriptsArgs {}

/// Lists scripts, newest revision first.
pub(crate) async fn command(call: &Call<'_>, _args: ScriptsArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let scripts = session.client.scripts().await?;
    if call.out.json {
        scripts.iter().try_for_each(|s| call.out.json(s))?;
        return Ok(Exit::Ok);
    }
    if scripts.is_empty() {
        call.out.note("there are no scripts yet; submit one: borescope submit --help");
        return Ok(Exit::Ok);
    }
    let row = |s: &api::types::ScriptView| {
        [
            s.script.to_string(),
            s.version.to_string(),
            s.revision.short(),
            s.uploader.to_string(),
            s.summary.clone(),
        ]
    };
    let rows: Vec<_> = scripts.iter().map(row).collect();
    let header = ["script", "version", "revision", "by", "summary"];
    call.out.lines(table::list(header, &rows))?;
    Ok(Exit::Ok)
}
