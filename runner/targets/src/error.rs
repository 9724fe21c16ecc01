//! Why a target did not answer. Codes are stable; the database's own words are evidence only,
//! because error texts quote data: they are in [`TargetError::detail`], never in `Display`.

/// Who can do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The script: its SQL or its parameters.
    Script,
    /// Whoever operates the target or signed its policy.
    Operator,
    /// The target, at this moment; trying again can help.
    Target,
    /// Nobody: somebody asked for it.
    Nobody,
    /// The runner itself.
    Runner,
}

/// Why a session or a statement failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The policy's description of the target cannot be used.
    #[error("the target's description is wrong: {problem}; correct the policy")]
    Config {
        /// What is wrong, in words made of policy text only.
        problem: String,
    },
    /// The database cannot be opened.
    #[error("the target cannot be opened: {hint}")]
    Unreachable {
        /// What to check.
        hint: &'static str,
        /// The database's words.
        detail: String,
    },
    /// Another database than the one that policy names.
    #[error(
        "the target is not the database that policy names: application id {found}, expected \
         {expected}; correct the path, or sign a policy with the new id"
    )]
    Identity {
        /// As in policy.
        expected: i32,
        /// As in the file.
        found: i32,
    },
    /// A granted table or column does not exist.
    #[error("the target has no {what}, which policy grants; correct the policy or the schema")]
    Missing {
        /// `table x` or `column x.y`.
        what: String,
    },
    /// The statement is, or names, something that is not granted. Things that do not exist give
    /// the same error, so that it tells nothing about hidden ones.
    #[error("the statement is not allowed: {reason}")]
    NotAllowed {
        /// What is refused and what to write instead.
        reason: String,
        /// The database's words, or none.
        detail: String,
    },
    /// The parameters do not fit the statement or their types.
    #[error("the parameters do not fit: {problem}")]
    BadParameters {
        /// Which and why.
        problem: String,
    },
    /// The statement reached its time.
    #[error("the statement took longer than {ms_max} ms; narrow it or use an index")]
    StatementTime {
        /// The limit, milliseconds.
        ms_max: u64,
    },
    /// A capacity of the engine that we set low: value length, statement size, nesting.
    #[error("the statement needs more than the target allows: {capacity}")]
    TooBig {
        /// Which capacity.
        capacity: &'static str,
        /// The database's words.
        detail: String,
    },
    /// A writer holds the database.
    #[error("the target is locked by a writer; try again")]
    Locked {
        /// The database's words.
        detail: String,
    },
    /// The session was cancelled, or the caller went away.
    #[error("the statement was cancelled")]
    Cancelled,
    /// The database refused or failed for any reason of its own.
    #[error("the target's database returned an error; its words are in the recording")]
    Database {
        /// The database's words.
        detail: String,
    },
    /// The session's worker is gone or does not answer; the session cannot be used any more.
    #[error("the session to the target is lost; start a new run")]
    SessionLost,
}

impl TargetError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::Unreachable { .. } => "unreachable",
            Self::Identity { .. } => "identity",
            Self::Missing { .. } => "missing",
            Self::NotAllowed { .. } => "not-allowed",
            Self::BadParameters { .. } => "bad-parameters",
            Self::StatementTime { .. } => "statement-time",
            Self::TooBig { .. } => "too-big",
            Self::Locked { .. } => "locked",
            Self::Cancelled => "cancelled",
            Self::Database { .. } => "sqlite-error",
            Self::SessionLost => "session-lost",
        }
    }

    /// The database's own words: evidence for the recording. They can quote data, so they never
    /// reach a script.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Unreachable { detail, .. }
            | Self::NotAllowed { detail, .. }
            | Self::TooBig { detail, .. }
            | Self::Locked { detail }
            | Self::Database { detail } => {
                Some(detail).filter(|d| !d.is_empty()).map(String::as_str)
            }
            Self::Config { .. }
            | Self::Identity { .. }
            | Self::Missing { .. }
            | Self::BadParameters { .. }
            | Self::StatementTime { .. }
            | Self::Cancelled
            | Self::SessionLost => None,
        }
    }

    /// Who can do something about it.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::NotAllowed { .. }
            | Self::BadParameters { .. }
            | Self::StatementTime { .. }
            | Self::TooBig { .. }
            // SQLite reports mistakes in SQL this way; a broken file is the rarer cause.
            | Self::Database { .. } => Fault::Script,
            Self::Config { .. } | Self::Identity { .. } | Self::Missing { .. } => Fault::Operator,
            Self::Unreachable { .. } | Self::Locked { .. } => Fault::Target,
            Self::Cancelled => Fault::Nobody,
            Self::SessionLost => Fault::Runner,
        }
    }

    pub(crate) fn not_allowed(reason: impl Into<String>) -> Self {
        Self::NotAllowed { reason: reason.into(), detail: String::new() }
    }
}
