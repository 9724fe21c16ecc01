//! The body of an upload: `multipart/form-data` whose field names are bundle paths, piece by piece.

use api::Code;
use app::Upload;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::extract::{FromRequest, Request};

use crate::problem::Refusal;

const HELP: &str = "send multipart/form-data whose field names are bundle paths";

/// The parts, not read yet.
pub(crate) struct Parts(Multipart);

impl<S: Send + Sync> FromRequest<S> for Parts {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let broken = |e: MultipartRejection| {
            let detail = domain::display::neutralise(&e.body_text());
            Refusal::new(Code::BadRequest, detail, HELP)
        };
        Multipart::from_request(request, state).await.map(Self).map_err(broken)
    }
}

impl Parts {
    /// Hands every part to the upload as it comes.
    pub(crate) async fn into(mut self, mut upload: Upload) -> Result<Upload, Refusal> {
        while let Some(mut field) = self.0.next_field().await.map_err(|e| broken(&e))? {
            upload.begin(field.name().unwrap_or_default()).await?;
            while let Some(piece) = field.chunk().await.map_err(|e| broken(&e))? {
                upload.piece(&piece).await?;
            }
        }
        Ok(upload)
    }
}

fn broken(error: &MultipartError) -> Refusal {
    let too_large = error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE;
    let code = if too_large { Code::TooLarge } else { Code::BadRequest };
    Refusal::new(code, domain::display::neutralise(&error.body_text()), HELP)
}
