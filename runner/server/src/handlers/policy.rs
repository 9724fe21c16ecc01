//! The documents in force, and the targets of the policy.

use std::sync::Arc;

use api::types::{DocumentView, TargetView};
use app::App;
use axum::Json;
use axum::extract::State;
use store::DocumentKind;

use super::Answer;
use crate::render;
use crate::session::Session;

pub(crate) async fn keyring(State(app): State<Arc<App>>, _: Session) -> Answer<Json<DocumentView>> {
    Ok(Json(render::document(app.in_force(DocumentKind::Keyring)?)?))
}

pub(crate) async fn directory(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<DocumentView>> {
    Ok(Json(render::document(app.in_force(DocumentKind::Directory)?)?))
}

pub(crate) async fn policy(State(app): State<Arc<App>>, _: Session) -> Answer<Json<DocumentView>> {
    Ok(Json(render::document(app.in_force(DocumentKind::Policy)?)?))
}

pub(crate) async fn targets(State(app): State<Arc<App>>, _: Session) -> Json<Vec<TargetView>> {
    let view = |t: &app::PolicyTarget| TargetView {
        id: t.id.clone(),
        engine: t.engine.to_string(),
        prod: t.prod,
    };
    Json(app.targets().iter().map(view).collect())
}
