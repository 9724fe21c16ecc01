//! Signed documents: the body is the envelope, its bytes are what is kept.

use std::sync::Arc;

use api::types::{DocumentView, Filed, Inbox, RequestView};
use app::App;
use axum::Json;
use axum::extract::{Path, State};

use super::Answer;
use crate::body::Raw;
use crate::render;
use crate::session::Session;

/// A handler that files one kind of document.
macro_rules! files {
    ($($name:ident)*) => {$(
        pub(crate) async fn $name(
            State(app): State<Arc<App>>,
            Session(who): Session,
            Raw(envelope): Raw,
        ) -> Answer<Json<Filed>> {
            let app::Filed { id, digest } = app.$name(&who, &envelope).await?;
            Ok(Json(Filed { id, digest }))
        }
    )*};
}

files! { submit review request_access approve stop }

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Path(reference): Path<String>,
) -> Answer<Json<DocumentView>> {
    Ok(Json(render::document(app.document(&who, &reference).await?)?))
}

pub(crate) async fn access_request(
    State(app): State<Arc<App>>,
    _: Session,
    Path(id): Path<String>,
) -> Answer<Json<RequestView>> {
    Ok(Json(render::access_request(app.access_request(&id.parse()?).await?)?))
}

pub(crate) async fn inbox(
    State(app): State<Arc<App>>,
    Session(who): Session,
) -> Answer<Json<Inbox>> {
    Ok(Json(render::inbox(app.inbox(&who).await?)))
}
