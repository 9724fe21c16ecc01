//! The documents in force, and the targets of the policy.

use std::sync::Arc;

use api::types::{DocumentView, TargetView};
use app::App;
use axum::Json;
use axum::extract::State;
use store::DocumentKind;

use super::Answer;
use crate::openapi::{Open, Reads};
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
