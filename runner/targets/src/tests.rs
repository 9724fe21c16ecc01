//! The words of a database never show in an error.

use crate::{Fault, TargetError};

#[test]
fn the_database_s_words_never_show() {
    let detail = || "row contains hunter2".to_owned();
    for error in [
        TargetError::Unreachable { hint: "look", fault: Fault::Target, detail: detail() },
        TargetError::NotAllowed { reason: "no".into(), detail: detail() },
        TargetError::TooBig { capacity: "small", detail: detail() },
        TargetError::Locked { by: "a writer", detail: detail() },
        TargetError::Conflict { detail: detail() },
        TargetError::Disconnected { detail: detail() },
        TargetError::Database { detail: detail() },
    ] {
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(error.detail(), Some("row contains hunter2"));
    }
}
