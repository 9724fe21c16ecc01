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
    if runs.is_empty() {
        if !call.out.json {
            call.out.note("there are no runs that you may see");
        }
        return Ok(Exit::Ok);
    }
    let emergencies = emergencies(&session, &runs).await?;
    if call.out.json {
        for run in &runs {
            let mut row = serde_json::to_value(run)?;
            row["break_glass"] = is_one(run, &emergencies).into();
            call.out.json(&row)?;
        }
        return Ok(Exit::Ok);
    }
    let rows: Vec<_> = runs.iter().map(|run| row(run, &emergencies, call)).collect();
    let header = ["run", "state", "caller", "queued", "took"];
    call.out.lines(table::list(header, &rows))?;
    Ok(Exit::Ok)
}

/// The access requests of these runs that break the glass, by their own verified words.
async fn emergencies(session: &Session, runs: &[RunView]) -> anyhow::Result<BTreeSet<RequestId>> {
    let authority = session.authority().await?;
    let mut wanted: BTreeSet<&RequestId> = runs.iter().filter_map(|r| r.request.as_ref()).collect();
    let mut broken = BTreeSet::new();
    let mut note = |request: &AccessRequest| {
        if request.break_glass {
            broken.insert(request.header.id.clone());
        }
    };
    for view in session.client.access_requests().await? {
        if let Ok(request) = verified::<AccessRequest>(&authority, &view) {
            wanted.remove(&request.doc().header.id);
            note(request.doc());
        }
    }
    // A list has an end; what is older is asked for by its id.
    for id in wanted {
        if let Ok(request) = session.statement::<AccessRequest>(&authority, id.as_str()).await {
            note(request.doc());
        }
    }
    Ok(broken)
}

fn is_one(run: &RunView, emergencies: &BTreeSet<RequestId>) -> bool {
    run.request.as_ref().is_some_and(|r| emergencies.contains(r))
}

fn row(run: &RunView, emergencies: &BTreeSet<RequestId>, call: &Call<'_>) -> [String; 5] {
    let mark = if is_one(run, emergencies) { " EMERGENCY" } else { "" };
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
