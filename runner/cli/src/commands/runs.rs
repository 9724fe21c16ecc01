//! `borescope runs`: the runs that you may see.

use std::collections::BTreeSet;

use api::types::RunView;
use clap::Args;
use domain::{RequestId, Timestamp};
use trust::AccessRequest;

use super::Call;
use crate::exit::Exit;
use crate::session::{Session, verified};
use crate::view::{millis, table};
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  borescope runs\n  borescope runs --limit 100 --json")]
pub(crate) struct RunsArgs {
    /// At most so many, newest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

/// Lists runs.
pub(crate) async fn command(call: &Call<'_>, args: RunsArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let mut runs = session.client.runs().await?;
    runs.truncate(args.limit);
    if call.out.json {
        runs.iter().try_for_each(|r| call.out.json(r))?;
        return Ok(Exit::Ok);
    }
    if runs.is_empty() {
        call.out.note("there are no runs that you may see");
        return Ok(Exit::Ok);
    }
    let emergencies = emergencies(&session).await?;
    let rows: Vec<_> = runs.iter().map(|run| row(run, &emergencies, call)).collect();
    let header = ["run", "state", "caller", "queued", "took"];
    call.out.lines(table::list(header, &rows))?;
    Ok(Exit::Ok)
}

/// The access requests that break the glass, by their own verified words.
async fn emergencies(session: &Session) -> anyhow::Result<BTreeSet<RequestId>> {
    let authority = session.authority().await?;
    let all = session.client.access_requests().await?;
    let read = all.iter().filter_map(|view| verified::<AccessRequest>(&authority, view).ok());
    Ok(read.filter(|r| r.doc().break_glass).map(|r| r.doc().header.id.clone()).collect())
}

fn row(run: &RunView, emergencies: &BTreeSet<RequestId>, call: &Call<'_>) -> [String; 5] {
    let broken = run.request.as_ref().is_some_and(|r| emergencies.contains(r));
    let mark = if broken { " EMERGENCY" } else { "" };
    let queued = Timestamp::from_unix_s(i64::try_from(run.queued_ms / 1000).unwrap_or(i64::MAX));
    let took = run.started_ms.zip(run.ended_ms);
    [
        run.id.to_string(),
        format!("{}{mark}", run.state.code()),
        run.caller.to_string(),
        when::show(queued, &call.env.zone),
        took.map_or_else(|| "–".to_owned(), |(from, to)| millis(to.saturating_sub(from))),
    ]
}
