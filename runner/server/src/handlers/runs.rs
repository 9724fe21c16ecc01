//! Runs: ordering, looking, cancelling. What a run left is in [`super::run_files`], what it tells
//! while it goes on in [`super::events`].

use std::sync::Arc;

use api::Code;
use api::shapes;
use api::types::{RunOrdered, RunView};
use app::App;
use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::RunId;

use super::Answer;
use crate::body::{At, Posted};
use crate::openapi::{Acts, Files, Finds, Reads};
use crate::prefer::Wait;
use crate::problem::Refusal;
use crate::render;
use crate::session::Session;

/// Order a run with a signed run request; the same run request is the same run
#[utoipa::path(post, path = "/v1/runs", tag = "runs", security(("session" = [])), params(Wait),
    request_body = RunOrdered,
    responses((status = 200, body = RunView, description = "The run: a denial is one that ended."), Files))]
pub(crate) async fn order(
    State(app): State<Arc<App>>,
    Session(who): Session,
    wait: Wait,
    Posted(ordered): Posted<RunOrdered>,
) -> Answer<(Wait, Json<RunView>)> {
    let input = ordered.input.map(|text| STANDARD.decode(text)).transpose().map_err(|_| {
        let detail = "`input` is not standard base64 with padding";
        Refusal::new(Code::BadRequest, detail, "or send the bytes to /v1/inputs before")
    })?;
    let envelope = ordered.run_request.get().as_bytes();
    let run = app.launch(&who, envelope, input.as_deref()).await?;
    Ok((wait, Json(render::run_status(app.wait(&who, &run.id, wait.seconds()).await?))))
}

/// The runs that you may see, newest first, at most 1,000
#[utoipa::path(get, path = "/v1/runs", tag = "runs", security(("session" = [])),
    responses((status = 200, body = [RunView], description = "Yours, and those of targets that you may read."), Reads))]
pub(crate) async fn runs(
    State(app): State<Arc<App>>,
    Session(who): Session,
) -> Answer<Json<Vec<RunView>>> {
    Ok(Json(app.runs(&who).await?.into_iter().map(render::run).collect()))
}

/// One run, for anybody who has its id; who may not read it learns whose it is and who may
#[utoipa::path(get, path = "/v1/runs/{id}", tag = "runs", security(("session" = [])),
    params(("id" = shapes::Run, Path, description = "The run."), Wait),
    responses((status = 200, body = RunView, description = "Where it is; to those who may not read it, only that."), Finds))]
pub(crate) async fn run(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<RunId>,
    wait: Wait,
) -> Answer<(Wait, Json<RunView>)> {
    Ok((wait, Json(render::run_status(app.wait(&who, &id, wait.seconds()).await?))))
}

/// Cancel a run; one that has ended stays as it is
#[utoipa::path(post, path = "/v1/runs/{id}/cancel", tag = "runs", security(("session" = [])),
    params(("id" = shapes::Run, Path, description = "The run.")),
    responses((status = 200, body = RunView, description = "Where it was; it ends within a second."), Acts))]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<RunId>,
) -> Answer<Json<RunView>> {
    Ok(Json(render::run(app.cancel(&who, &id).await?)))
}
