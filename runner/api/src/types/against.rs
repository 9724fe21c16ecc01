//! Emergencies that somebody still has to look at.

use domain::PersonId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::DocumentView;
use crate::shapes;

/// One row of `GET /v1/emergencies`: something ran under this break-glass access request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EmergencyView {
    /// The access request.
    pub request: DocumentView,
    /// Until when somebody must have looked.
    pub due_ms: u64,
    /// Who has looked since its last use; more people have to.
    #[schema(value_type = Vec<shapes::Person>)]
    pub looked: Vec<PersonId>,
}
