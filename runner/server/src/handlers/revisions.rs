//! Revisions: uploading a bundle, and reading it back.

use std::sync::Arc;

use api::shapes;
use api::types::{RevisionView, Uploaded};
use app::App;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use domain::{BundlePath, Digest};

use super::Answer;
use crate::body::{At, AtBoth};
use crate::once;
use crate::openapi::{Files, Finds};
use crate::problem::Refusal;
use crate::render;
use crate::session::Session;
use crate::upload::Parts;

/// Upload a bundle: a field's name is the file's path, its bytes go to disk as they come
#[utoipa::path(post, path = "/v1/revisions", tag = "scripts", security(("session" = [])),
    request_body(content = shapes::Bundle, content_type = "multipart/form-data"),
    responses((status = 200, body = Uploaded, description = "It passed every check; submit it next."), Files))]
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    Session(who): Session,
    headers: HeaderMap,
    parts: Parts,
) -> Answer<Response> {
    let key = once::key(&headers);
    let mut upload = parts.into(app.upload(&who)?).await?;
    let commits = upload.identity().await?;
    let act = async move {
        let uploaded = upload.finish().await.map_err(Refusal::from);
        uploaded.map(|u| Json(render::uploaded(u))).into_response()
    };
    match key {
        None => Ok(act.await),
        Some(key) => once::acted_once(&app, &who, "POST /v1/revisions", &key, commits, act).await,
    }
}

/// A submitted revision with its files, submissions and reviews
#[utoipa::path(get, path = "/v1/revisions/{digest}", tag = "scripts", security(("session" = [])),
    params(("digest" = shapes::Sha256, Path, description = "The revision.")),
    responses((status = 200, body = RevisionView, description = "The revision."), Finds))]
pub(crate) async fn revision(
    State(app): State<Arc<App>>,
    _: Session,
    At(digest): At<Digest>,
) -> Answer<Json<RevisionView>> {
    Ok(Json(render::revision(app.revision(&digest).await?)))
}

/// One file of a revision that was submitted, or uploaded whole; hash what you get
#[utoipa::path(get, path = "/v1/revisions/{digest}/files/{*path}", tag = "scripts",
    security(("session" = [])),
    params(("digest" = shapes::Sha256, Path, description = "The revision."),
        ("path" = shapes::Path, Path, description = "The file's path; slashes as they are, or as %2F.")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream",
        description = "The file."), Finds))]
pub(crate) async fn file(
    State(app): State<Arc<App>>,
    _: Session,
    AtBoth(digest, path): AtBoth<Digest, BundlePath>,
) -> Answer<Bytes> {
    Ok(app.file(&digest, &path).await?.into())
}
