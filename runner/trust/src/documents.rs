//! The signed documents of version 1, one struct each, fields in the order in which they are
//! written. FORMAT.md shows each with an example; [`crate::document`] has what they share.

mod directory;
mod keyring;
mod notices;
mod policy;
mod receipt;
mod statements;

pub use directory::{Directory, KeyStatus, Person, PersonKey, PersonKind};
pub use keyring::{Floors, Keyring, KeyringKey, Role, RoleRule};
pub use notices::{AfterReview, AfterReviewVerdict, KeyClaim, Lift, Status, Stop, Withdrawal};
pub use policy::{
    ColumnMask, Denied, GROUP_PREFIX, Policy, PolicyRunner, PolicyScript, PolicyTarget,
    PostgresIdentity, Read, RowFilter, SqliteIdentity, TargetIdentity,
};
pub use receipt::{LogPosition, Receipt};
pub use statements::{
    AccessRequest, Approval, Login, PlanRequest, Rebuilt, Review, RunRequest, Submission,
};

use serde::{Deserialize, Deserializer};

/// An optional field that has to be written, as `null` when there is nothing: absent is refused.
pub(crate) fn written<'de, T, D>(d: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(d)
}

#[cfg(test)]
mod tests;
