//! In which line a run waits: who may take a slot that is kept for emergencies.

use domain::Digest;
use store::{Document, DocumentKind};
use trust::{AccessRequest, Document as Signed, Envelope, RunRequest};

use crate::queue::Line;
use crate::requests::RequestState;
use crate::{App, AppError};

/// An access request that a run request names.
pub(super) struct Named {
    pub(super) document: Document,
    pub(super) envelope: Envelope,
    pub(super) access: AccessRequest,
}

impl App {
    /// The access request that a run request names.
    pub(super) async fn named(&self, digest: &Digest) -> Result<Named, AppError> {
        let none = || AppError::document(RunRequest::DOC, "`request` is no access request on file");
        let document = self.store.document_by_digest(digest).await?;
        let document = document.filter(|d| d.kind == DocumentKind::AccessRequest);
        let document = document.ok_or_else(none)?;
        let envelope = Envelope::from_json(&document.envelope).map_err(|_| none())?;
        let access: AccessRequest = trust::read_unverified(&envelope)
            .map_err(|e| AppError::document(AccessRequest::DOC, e.problem.to_string()))?;
        Ok(Named { document, envelope, access })
    }

    /// In which line a run waits. An emergency is one whose run request and access request are both
    /// signed by this caller, and whose access request breaks the glass and would be let through now:
    /// nothing else gets near the slots that are kept, whatever it says of itself.
    pub(super) async fn line(
        &self,
        request: &RunRequest,
        signed: &Envelope,
    ) -> Result<Line, AppError> {
        let Some(digest) = &request.request else { return Ok(Line::Ordinary) };
        let Named { document, envelope, access } = self.named(digest).await?;
        if !access.break_glass || access.caller != request.caller {
            return Ok(Line::Ordinary);
        }
        let (adopted, stopped) = (self.adopted(), self.in_force_against().stopped_keys());
        let authority = &adopted.authority;
        let is_theirs = authority.verify::<RunRequest>(signed, &stopped).is_ok()
            && authority.verify::<AccessRequest>(&envelope, &stopped).is_ok();
        if !is_theirs || access.revision != request.revision {
            return Ok(Line::Ordinary);
        }
        let open = self.request_status(document, &access).await?.state == RequestState::Approved;
        Ok(if open { Line::Emergency } else { Line::Ordinary })
    }
}
