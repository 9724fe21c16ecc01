//! Ids: `<kind>_<uuidv7>`, one type a kind, so that a run id pasted where a request id belongs
//! fails before it reaches a store.
//!
//! An id is made from a clock and entropy that the caller passes in (RFC 9562 section 5.7).

use uuid::Uuid;

use crate::ports::{Clock, Entropy};
use crate::text::text_type;

fn is_id(s: &str, prefix: &str) -> bool {
    s.strip_prefix(prefix).is_some_and(|rest| {
        Uuid::try_parse(rest)
            .is_ok_and(|u| u.get_version_num() == 7 && u.hyphenated().to_string() == rest)
    })
}

fn new_uuid(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0u8; 10];
    entropy.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(clock.now_ms(), &random).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal;)*) => {$(
        text_type!(
            $(#[$doc])* $name, $what,
            "the prefix of its kind, an underscore and a lower-case UUIDv7",
            |s| is_id(s, concat!($prefix, "_"))
        );
        impl $name {
            /// The kind's prefix, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from the given clock and entropy.
            pub fn new(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                Self(format!(concat!($prefix, "_{}"), new_uuid(clock, entropy).hyphenated()))
            }
        }
    )*};
}

ids! {
    /// An author's signed statement about one revision.
    SubmissionId, "sub", "submission id";
    /// A reviewer's signed verdict.
    ReviewId, "rev", "review id";
    /// A caller's signed access request.
    RequestId, "req", "access request id";
    /// An approver's signature over an access request.
    ApprovalId, "apr", "approval id";
    /// A caller's signed order to execute once.
    RunRequestId, "rrq", "run request id";
    /// One execution; chosen by the caller, spent once by the runner.
    RunId, "run", "run id";
    /// An immediate ban.
    StopId, "stop", "stop id";
    /// The end of a ban.
    LiftId, "lift", "lift id";
    /// A reviewer's end of their own rejection.
    WithdrawalId, "wdr", "withdrawal id";
    /// A signed statement of what is in force.
    StatusId, "sts", "status id";
    /// Somebody's look at a broken glass.
    AfterReviewId, "arv", "after-review id";
    /// A signed request for what a planner expects.
    PlanRequestId, "plr", "plan request id";
    /// A new key's proof that somebody has it.
    KeyClaimId, "kcl", "key claim id";
    /// The runner's signed statement about one run.
    ReceiptId, "rcp", "receipt id";
    /// A version of the keyring.
    KeyringId, "kr", "keyring id";
    /// A version of the directory.
    DirectoryId, "dir", "directory id";
    /// A version of the policy.
    PolicyId, "pol", "policy id";
    /// A login session.
    SessionId, "ses", "session id";
}
