//! Inputs for people: the exact bytes that an access request or a run names by their digest.
//!
//! What was looked for in production says something about it, so an input is shown to whoever asked
//! for it and to whoever may approve that; a run's to those who may see the run. Whoever reads it
//! hashes it.

use domain::decide::InputRule;
use domain::{Digest, RequestId, RunId};
use trust::{AccessRequest, RunRequest};

use crate::advice::unverified;
use crate::login::Who;
use crate::{App, AppError};

impl App {
    /// The input of an access request.
    ///
    /// # Errors
    /// When there is none, or the person neither asked for it nor may approve it.
    pub async fn input_of_request(&self, who: &Who, id: &RequestId) -> Result<Vec<u8>, AppError> {
        let absent = || AppError::NotFound(format!("input of {id}"));
        let document = self.store.document(id.as_str()).await?.ok_or_else(absent)?;
        let access: AccessRequest = unverified(&document).ok_or_else(absent)?;
        if self.counted(&access.caller) != self.counted(&who.person) {
            self.may_approve(&who.person, &access)?;
        }
        match access.input {
            InputRule::Exact { digest } => self.kept(&digest).await?.ok_or_else(absent),
            InputRule::Schema => Err(absent()),
        }
    }

    /// The input of a run that started.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it never started, or is nothing to this person.
    pub async fn input_of_run(&self, who: &Who, id: &RunId) -> Result<Vec<u8>, AppError> {
        let absent = || AppError::NotFound(format!("input of {id}"));
        let run = self.readable_run(who, id).await?;
        let document = self.store.document_by_digest(&run.run_request).await?;
        let request: RunRequest = document.as_ref().and_then(unverified).ok_or_else(absent)?;
        self.kept(&request.input).await?.ok_or_else(absent)
    }

    async fn kept(&self, input: &Digest) -> Result<Option<Vec<u8>>, AppError> {
        Ok(self.blobs.get(input).await?)
    }
}
