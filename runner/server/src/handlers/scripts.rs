//! Scripts, revisions and their files.

use std::sync::Arc;

use api::Code;
use api::types::{RevisionView, ScriptView, Uploaded};
use app::App;
use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{Path, State};

use super::Answer;
use crate::problem::Refusal;
use crate::render;
use crate::session::Session;

/// A field's name is the file's path in the bundle; its bytes go to disk as they come.
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    Session(who): Session,
    mut form: Multipart,
) -> Answer<Json<Uploaded>> {
    let mut upload = app.upload(&who)?;
    while let Some(mut field) = form.next_field().await.map_err(|e| broken(&e))? {
        upload.begin(field.name().unwrap_or_default()).await?;
        while let Some(piece) = field.chunk().await.map_err(|e| broken(&e))? {
            upload.piece(&piece).await?;
        }
    }
    Ok(Json(render::uploaded(upload.finish().await?)))
}

fn broken(error: &MultipartError) -> Refusal {
    let too_large = error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE;
    let code = if too_large { Code::TooLarge } else { Code::BadRequest };
    let detail = domain::display::neutralise(&error.body_text());
    Refusal::new(code, detail, "send multipart/form-data whose field names are bundle paths")
}

pub(crate) async fn list(State(app): State<Arc<App>>, _: Session) -> Answer<Json<Vec<ScriptView>>> {
    Ok(Json(app.scripts().await?.into_iter().map(render::script).collect()))
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    _: Session,
    Path(digest): Path<String>,
) -> Answer<Json<RevisionView>> {
    Ok(Json(render::revision(app.revision(&digest.parse()?).await?)))
}

pub(crate) async fn file(
    State(app): State<Arc<App>>,
    _: Session,
    Path((digest, path)): Path<(String, String)>,
) -> Answer<Bytes> {
    Ok(app.file(&digest.parse()?, &path.parse()?).await?.into())
}
