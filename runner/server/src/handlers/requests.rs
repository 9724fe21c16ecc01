//! Access requests, with what people said about them and what is still missing.

use std::sync::Arc;

use api::shapes::{self, EnvelopeShape};
use api::types::{DocumentView, Filed, RequestView};
use app::App;
use axum::Json;
use axum::extract::State;
use domain::RequestId;

use super::Answer;
use crate::body::{At, Raw};
use crate::openapi::{Files, Finds, Reads};
use crate::render;
use crate::session::Session;

/// File a signed access request for a submitted revision
#[utoipa::path(post, path = "/v1/access-requests", tag = "access", security(("session" = [])),
    request_body = EnvelopeShape,
    responses((status = 200, body = Filed, description = "It is on file."), Files))]
pub(crate) async fn request_access(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(envelope): Raw,
) -> Answer<Json<Filed>> {
    Ok(Json(render::filed(app.request_access(&who, &envelope).await?)))
}

/// All access requests, newest first, at most 1,000
#[utoipa::path(get, path = "/v1/access-requests", tag = "access", security(("session" = [])),
    responses((status = 200, body = [DocumentView], description = "Signed access requests."), Reads))]
pub(crate) async fn access_requests(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<Vec<DocumentView>>> {
    Ok(Json(render::documents(app.access_requests().await?)))
}

/// One access request with its submissions, reviews and approvals, and the first thing that is missing
#[utoipa::path(get, path = "/v1/access-requests/{id}", tag = "access", security(("session" = [])),
    params(("id" = shapes::AccessRequest, Path, description = "The access request.")),
    responses((status = 200, body = RequestView, description = "Where it is."), Finds))]
pub(crate) async fn access_request(
    State(app): State<Arc<App>>,
    _: Session,
    At(id): At<RequestId>,
) -> Answer<Json<RequestView>> {
    Ok(Json(render::access_request(app.access_request(&id).await?)?))
}
