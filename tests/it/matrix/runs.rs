//! Runs: who may order one, and whose word counts for it. Each cell is a story of its own, up to the end
//! of a run; a step that the server refuses ends it, and is named.

use futures_util::future::BoxFuture;
use tests::company::p;
use tests::town::{KeyState, OPEN, PROD, Plan, Refused, Scene};
use trust::{Envelope, RunRequest};

use super::rows::{Cell, Drafting, Tried, draft, signed_as, tried};
use super::stage::Stage;

pub(super) fn all() -> Vec<Tried> {
    let mut rows = vec![
        // There is no status up to here, so this comes first.
        played("one's own on production, without a status", |person| on(PROD, person)),
        tried("one's own on production, with a status", |stage, person| {
            Box::pin(async move {
                stage.town.freshen().await;
                cell(play(stage, &on(PROD, person)).await)
            })
        }),
    ];
    rows.extend(signed_as("one's own", OWN, |stage, person, envelope| {
        ordered(stage, person, envelope)
    }));
    rows.extend(signed_as(
        "under the caller's access request",
        CALLERS,
        |stage, person, envelope| ordered(stage, person, envelope),
    ));
    rows.extend([
        played("one's own emergency", |person| Plan { break_glass: true, ..own_plan(person) }),
        played("what the reviewer opened", |person| Plan {
            target: OPEN,
            self_serve: true,
            ..own_plan(person)
        }),
        played("one's own, approved by oneself", |person| Plan {
            approvers: vec![(person, KeyState::Active)],
            ..own_plan(person)
        }),
        played("one's own, approved by oneself, second key", |person| Plan {
            approvers: vec![(person, KeyState::Second)],
            ..own_plan(person)
        }),
        played("one's own emergency, approved by oneself", |person| Plan {
            break_glass: true,
            approvers: vec![(person, KeyState::Active)],
            ..own_plan(person)
        }),
        played("the caller's, this is the only author", |person| Plan {
            authors: vec![person],
            reviewers: vec![if person == "bob" { "vera" } else { "bob" }],
            ..Plan::ordinary()
        }),
        played("the caller's, this is the only reviewer", |person| Plan {
            reviewers: vec![person],
            ..Plan::ordinary()
        }),
        played("the caller's, the only reviewer is a second submitter", |person| Plan {
            authors: vec!["alice", person],
            reviewers: vec![person],
            ..Plan::ordinary()
        }),
        played("the caller's, this is the only approver", |person| Plan {
            approvers: vec![(person, KeyState::Active)],
            ..Plan::ordinary()
        }),
        played("the agent's, this is the only approver", |person| Plan {
            caller: "bot",
            approvers: vec![(person, KeyState::Active)],
            ..Plan::ordinary()
        }),
        played("the owner's, this is the only approver", |person| Plan {
            caller: "otto",
            approvers: vec![(person, KeyState::Active)],
            ..Plan::ordinary()
        }),
        played("the agent wrote it, this is the only reviewer", |person| Plan {
            authors: vec!["bot"],
            reviewers: vec![person],
            ..Plan::ordinary()
        }),
        rejected(),
        joined(),
    ]);
    rows
}

/// A run of `person`, with everybody else's words as they should be.
fn own_plan(person: &'static str) -> Plan<'static> {
    let approver = if person == "vera" { "ada" } else { "vera" };
    Plan { caller: person, approvers: vec![(approver, KeyState::Active)], ..Plan::ordinary() }
}

fn on(target: &'static str, person: &'static str) -> Plan<'static> {
    Plan { target, ..own_plan(person) }
}

/// Plays the plan and runs it as its caller.
async fn play(stage: &Stage, plan: &Plan<'_>) -> Result<Cell, Refused> {
    let scene = stage.town.play(plan).await?;
    Ok(run(stage, &scene).await)
}

async fn run(stage: &Stage, scene: &Scene) -> Cell {
    let request = stage.town.run_request(scene, &scene.caller, 1);
    let request = stage.town.sign(&scene.caller, &request);
    Cell::of_run(stage.town.order(&scene.caller, &request).await)
}

fn cell(played: Result<Cell, Refused>) -> Cell {
    played.unwrap_or_else(Cell::from)
}

fn played(about: &str, plan: fn(&'static str) -> Plan<'static>) -> Tried {
    tried(about, move |stage, person| {
        Box::pin(async move { cell(play(stage, &plan(person)).await) })
    })
}

fn ordered<'s>(stage: &'s Stage, person: &'static str, envelope: Envelope) -> BoxFuture<'s, Cell> {
    Box::pin(async move { Cell::of_run(stage.town.order(person, &envelope).await) })
}

/// An order under an access request of one's own; who cannot have one orders under the caller's.
const OWN: Drafting = |stage, person| {
    Box::pin(async move {
        let scene = match stage.town.play(&own_plan(person)).await {
            Ok(scene) => scene,
            Err(_) => stage.town.play(&Plan::ordinary()).await.unwrap(),
        };
        draft(stage.town.run_request(&scene, person, 1))
    })
};

/// An order in one's own name under cleo's access request.
const CALLERS: Drafting = |stage, person| {
    Box::pin(async move {
        let scene = stage.town.play(&Plan::ordinary()).await.unwrap();
        let request: RunRequest = stage.town.run_request(&scene, person, 1);
        draft(RunRequest { caller: p(person), ..request })
    })
};

/// A rejection on top of everything that is needed.
fn rejected() -> Tried {
    tried("the caller's, this one rejects it", |stage, person| {
        Box::pin(async move {
            let plan = Plan::ordinary();
            let script = stage.town.fresh_script(&plan).await.unwrap();
            let mut rejection = stage.town.review(&script, person);
            rejection.verdict = domain::decide::Verdict::Reject;
            let rejection = stage.town.sign(person, &rejection);
            let scene = stage.town.play_with(&plan, script).await.unwrap();
            let filed = stage.town.files(person, "/v1/reviews", "rejection", &rejection).await;
            match filed {
                Ok(()) => run(stage, &scene).await,
                Err(refused) => refused.into(),
            }
        })
    })
}

/// The only reviewer submits the script afterwards, when it has been approved.
fn joined() -> Tried {
    tried("the caller's, the only reviewer submits it in the end", |stage, person| {
        Box::pin(async move {
            let plan = Plan { reviewers: vec![person], authors: vec!["alice"], ..Plan::ordinary() };
            let script = match stage.town.fresh_script(&plan).await {
                Ok(script) => script,
                Err(refused) => return refused.into(),
            };
            let scene = stage.town.play_with(&plan, script).await.unwrap();
            let submission = stage.town.submission(&scene.script, person);
            let submission = stage.town.sign(person, &submission);
            match stage.town.files(person, "/v1/submissions", "submission", &submission).await {
                Ok(()) => run(stage, &scene).await,
                Err(refused) => refused.into(),
            }
        })
    })
}
