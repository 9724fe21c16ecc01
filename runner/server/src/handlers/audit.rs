//! The audit: what happened, by person, subject, kind and time.

use std::sync::Arc;

use api::shapes;
use api::types::AuditPageView;
use app::App;
use axum::Json;
use axum::extract::State;
use domain::PersonId;
use serde::Deserialize;
use store::AuditFilter;
use utoipa::IntoParams;

use super::Answer;
use crate::body::Asked;
use crate::openapi::Finds;
use crate::render;
use crate::session::Session;

/// Events of a page when the caller does not say.
const ROWS: u32 = 50;

/// Which events; what is absent matches everything.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Done by this person
    #[param(value_type = Option<shapes::Person>)]
    person: Option<PersonId>,
    /// About this, exactly: an id, a digest, a person, a target
    #[param(max_length = 128)]
    subject: Option<String>,
    /// Of this kind, as `review-accepted`
    #[param(value_type = Option<shapes::AuditKind>)]
    kind: Option<String>,
    /// Not before, Unix milliseconds
    from_ms: Option<u64>,
    /// Before, Unix milliseconds
    until_ms: Option<u64>,
    /// The `next` of the page before
    before: Option<u64>,
    /// At most so many
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// What happened, newest first; events of a run only for people who may see the run
#[utoipa::path(get, path = "/v1/audit", tag = "audit", security(("session" = [])), params(Which),
    responses((status = 200, body = AuditPageView, description = "One page."), Finds))]
pub(crate) async fn audit(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Asked(Which { person, subject, kind, from_ms, until_ms, before, limit }): Asked<Which>,
) -> Answer<Json<AuditPageView>> {
    let filter = AuditFilter { person, kind, subject, from_ms, until_ms, before };
    Ok(Json(render::audit(app.audit(&who, &filter, limit.unwrap_or(ROWS)).await?)))
}
