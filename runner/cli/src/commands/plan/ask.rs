//! Asking the targets' planners, in the name of somebody who reviews or approves there.

use anyhow::Context as _;
use domain::plan::{Plan, PlannedQuery};
use domain::{Digest, Pair, PlanRequestId};
use serde_json::json;
use trust::{Authority, PlanRequest};

use crate::commands::Call;
use crate::commands::request::runner_for;
use crate::exit::Exit;
use crate::session::{Session, wire};

/// Seconds that a request lives: enough for a key that has to be touched.
const LIFE_S: i64 = 120;

/// Signs a request for each pair, asks, and shows what is expected.
pub(super) async fn ask(
    call: &Call<'_>,
    session: &Session,
    revision: &Digest,
    pairs: &[Pair],
    yes: bool,
) -> anyhow::Result<Exit> {
    let out = call.out;
    let authority = session.authority().await?;
    let places: Vec<String> = pairs.iter().map(|p| p.target.to_string()).collect();
    let places = places.join(", ");
    out.note(format!(
        "the text of its queries, as the gate writes it, reaches the planner of {places}; nothing is executed"
    ));
    let question = format!("Sign a plan request for {} as {}?", revision.short(), session.person);
    if !yes && !out.confirm(&question)? {
        out.note("nothing was signed, and nobody was asked");
        return Ok(Exit::Denied);
    }
    for pair in pairs {
        let progress = out.progress("asking the target's planner");
        let plan = of_pair(session, &authority, revision, pair).await;
        drop(progress);
        let plan = plan?;
        if out.json {
            out.json(&json!({ "pair": pair, "expected": plan.queries }))?;
            continue;
        }
        out.line("")?;
        out.line(format!(
            "on {pair} the planner expects, in powers of ten and whatever the values:"
        ))?;
        let cost_max = authority.target(&pair.target).and_then(|t| t.cost_max);
        out.lines(plan.queries.iter().map(|query| line(query, cost_max)))?;
    }
    Ok(Exit::Ok)
}

async fn of_pair(
    session: &Session,
    authority: &Authority,
    revision: &Digest,
    pair: &Pair,
) -> anyhow::Result<Plan> {
    let id = PlanRequestId::new(&*session.world.clock, &*session.world.entropy);
    let request = PlanRequest {
        header: session.header(id, LIFE_S),
        person: session.person.clone(),
        revision: *revision,
        pair: pair.clone(),
        runner: runner_for(authority.policy(), std::slice::from_ref(pair))?,
    };
    let envelope = wire(&session.sign(&request)?)?;
    let bytes = session.client.plan(&envelope).await;
    let bytes = bytes.with_context(|| format!("{} was not asked", pair.target))?;
    serde_json::from_slice(&bytes).with_context(|| format!("the server's plan of {}", pair.target))
}

fn line(query: &PlannedQuery, cost_max: Option<u64>) -> String {
    let PlannedQuery { name, expected, problem } = query;
    let Some(expected) = expected else {
        let why = problem.as_deref().unwrap_or("nothing is expected");
        return format!("  {name}: {why}");
    };
    let cost_max =
        cost_max.map_or_else(String::new, |max| format!(" (policy refuses more than {max})"));
    format!("  {name}: at most {} rows, cost at most {}{cost_max}", expected.rows, expected.cost)
}
