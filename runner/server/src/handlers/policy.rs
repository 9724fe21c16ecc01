//! The documents in force, and the targets of the policy with what their catalogs have.

use std::sync::Arc;

use api::shapes;
use api::types::{AnalysisStored, DocumentView, TargetView};
use app::App;
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::{Digest, TargetId};
use store::DocumentKind;

use super::Answer;
use crate::body::{At, Raw};
use crate::openapi::{Files, Finds, Open, Reads, Shows};
use crate::render;
use crate::session::Session;

/// The keyring in force; open to everybody, because whoever wants to join has to compare it
#[utoipa::path(get, path = "/v1/keyring", tag = "policy", security(()),
    responses((status = 200, body = DocumentView, description = "Root keys, roles and floors."), Open))]
pub(crate) async fn keyring(State(app): State<Arc<App>>) -> Answer<Json<DocumentView>> {
    Ok(Json(render::document(app.in_force(DocumentKind::Keyring)?)?))
}

/// Every keyring from the first that this server knows to the one in force, each following the last;
/// open to everybody
#[utoipa::path(get, path = "/v1/keyrings", tag = "policy", security(()),
    responses((status = 200, body = [DocumentView], description = "Whoever pins one of them verifies the rest by it."), Open))]
pub(crate) async fn keyrings(State(app): State<Arc<App>>) -> Answer<Json<Vec<DocumentView>>> {
    Ok(Json(render::documents(app.keyrings()?)))
}

/// The directory in force
#[utoipa::path(get, path = "/v1/directory", tag = "policy", security(("session" = [])),
    responses((status = 200, body = DocumentView, description = "People, keys and groups."), Reads))]
pub(crate) async fn directory(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<DocumentView>> {
    Ok(Json(render::document(app.in_force(DocumentKind::Directory)?)?))
}

/// The policy in force
#[utoipa::path(get, path = "/v1/policy", tag = "policy", security(("session" = [])),
    responses((status = 200, body = DocumentView, description = "Targets and their rules."), Reads))]
pub(crate) async fn policy(State(app): State<Arc<App>>, _: Session) -> Answer<Json<DocumentView>> {
    Ok(Json(render::document(app.in_force(DocumentKind::Policy)?)?))
}

/// The policy's targets
#[utoipa::path(get, path = "/v1/targets", tag = "policy", security(("session" = [])),
    responses((status = 200, body = [TargetView], description = "The targets."), Reads))]
pub(crate) async fn targets(State(app): State<Arc<App>>, _: Session) -> Json<Vec<TargetView>> {
    let view = |t: &app::PolicyTarget| TargetView {
        id: t.id.clone(),
        engine: t.engine.to_string(),
        prod: t.prod,
    };
    Json(app.targets().iter().map(view).collect())
}

/// What a target's catalog has of what policy grants there: relations, columns, types, functions. Asked of
/// the target now. That you read it is recorded
#[utoipa::path(get, path = "/v1/targets/{id}/catalog", tag = "policy", security(("session" = [])),
    params(("id" = shapes::Target, Path, description = "The target.")),
    responses((status = 200, body = shapes::AnyJson, content_type = "application/json",
        description = "What analyses are made from."), Shows))]
pub(crate) async fn catalog(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<TargetId>,
) -> Answer<Response> {
    Ok(json(app.catalog(&who, &id).await?))
}

/// Keep an analysis, for the review that names it
#[utoipa::path(post, path = "/v1/analyses", tag = "policy", security(("session" = [])),
    request_body(content = shapes::AnyJson, description = "The analysis, exactly as it is to be hashed."),
    responses((status = 200, body = AnalysisStored, description = "Its digest."), Files))]
pub(crate) async fn analysis(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(bytes): Raw,
) -> Answer<Json<AnalysisStored>> {
    Ok(Json(AnalysisStored { digest: app.analysis(&who, &bytes).await? }))
}

/// An analysis that a review names
#[utoipa::path(get, path = "/v1/analyses/{digest}", tag = "policy", security(("session" = [])),
    params(("digest" = shapes::Sha256, Path, description = "Its digest.")),
    responses((status = 200, body = shapes::AnyJson, content_type = "application/json",
        description = "The exact bytes with this digest."), Finds))]
pub(crate) async fn stored_analysis(
    State(app): State<Arc<App>>,
    _: Session,
    At(digest): At<Digest>,
) -> Answer<Response> {
    Ok(json(app.stored_analysis(&digest).await?))
}

/// What a target's planner expects of a revision's queries, in powers of ten, by a signed plan request of
/// a reviewer or approver. Nothing is executed. That you asked is recorded
#[utoipa::path(post, path = "/v1/plans", tag = "policy", security(("session" = [])),
    request_body(content = shapes::EnvelopeShape, description = "The signed plan request."),
    responses((status = 200, body = shapes::AnyJson, content_type = "application/json",
        description = "Rows and cost of each query."), Files))]
pub(crate) async fn plan(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(bytes): Raw,
) -> Answer<Response> {
    Ok(json(app.plan(&who, &bytes).await?))
}

fn json(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}
