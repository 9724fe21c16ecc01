//! What follows an emergency: what is owed, by whom, and who may look. Also the lists of what is said
//! against runs and its ends, so that everybody can make out alone what is in force.

use domain::{Digest, PersonId, StatusId, Timestamp};
use store::{Document, DocumentKind, Filter};
use trust::{OwedAfterReview, Status};

use crate::login::Who;
use crate::{App, AppError};

/// A break-glass access request under which something ran and which somebody still has to look at.
#[derive(Debug, Clone)]
pub struct Emergency {
    /// The access request.
    pub request: Document,
    /// Until when somebody must have looked.
    pub due: Timestamp,
    /// Who has looked since its last use; more people have to.
    pub looked: Vec<PersonId>,
}

/// The newest signed status.
#[derive(Debug, Clone)]
pub struct SignedStatus {
    /// Its id.
    pub id: StatusId,
    /// The digest of its payload.
    pub digest: Digest,
    /// Its envelope.
    pub envelope: Vec<u8>,
    /// From when it says what is in force.
    pub since: Timestamp,
}

/// Emergencies that concern one person.
pub(crate) struct Concerns {
    pub(crate) to_look_at: Vec<Emergency>,
    pub(crate) owed: Vec<Emergency>,
}

impl App {
    /// All emergencies that somebody still has to look at, the one that is due first before the others.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn emergencies(&self) -> Result<Vec<Emergency>, AppError> {
        let mut all = Vec::new();
        for owed in self.runner.state().owed() {
            all.extend(self.emergency(owed).await?);
        }
        all.sort_by_key(|e| e.due);
        Ok(all)
    }

    async fn emergency(&self, owed: OwedAfterReview) -> Result<Option<Emergency>, AppError> {
        let OwedAfterReview { request, due, reviewers, .. } = owed;
        let document = self.store.document_by_digest(&request).await?;
        Ok(document.map(|request| Emergency { request, due, looked: reviewers }))
    }

    /// Those that a person owes, and those that they can look at and have not.
    pub(crate) async fn emergencies_of(&self, who: &Who) -> Result<Concerns, AppError> {
        let (own, solo) = (self.counted(&who.person), self.adopted().authority.is_solo());
        let mut concerns = Concerns { to_look_at: Vec::new(), owed: Vec::new() };
        for owed in self.runner.state().owed() {
            let (mine, may_look) = (owed.caller == own, self.could_look(who, &owed));
            let Some(emergency) = self.emergency(owed).await? else { continue };
            if may_look && (solo || !mine) {
                concerns.to_look_at.push(emergency.clone());
            }
            if mine {
                concerns.owed.push(emergency);
            }
        }
        concerns.to_look_at.sort_by_key(|e| e.due);
        concerns.owed.sort_by_key(|e| e.due);
        Ok(concerns)
    }

    /// Whether somebody's look would count for one of the targets.
    fn could_look(&self, who: &Who, owed: &OwedAfterReview) -> bool {
        self.is_human(&who.person)
            && !owed.reviewers.contains(&who.person)
            && self.is_asked_to_look(&who.person, owed.targets.iter())
    }

    /// All after-reviews, newest first, at most as many as a list has.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn after_reviews_on_file(&self) -> Result<Vec<Document>, AppError> {
        let filter = Filter { kind: Some(DocumentKind::AfterReview), ..Filter::default() };
        Ok(self.store.documents(&filter).await?)
    }

    /// The newest status that came since the start, while it is valid.
    ///
    /// # Errors
    /// When there is none.
    pub fn signed_status(&self) -> Result<SignedStatus, AppError> {
        let absent = || AppError::NotFound("signed status that is valid now".to_owned());
        let envelope = self.newest_status().ok_or_else(absent)?;
        let status: Status = trust::read_unverified(&envelope).map_err(|_| absent())?;
        Ok(SignedStatus {
            id: status.header.id,
            digest: envelope.payload_digest(),
            since: status.header.not_before,
            envelope: envelope.to_json().map_err(|_| absent())?,
        })
    }
}
