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
        /// Who can do something about it: somebody who configured it, or time.
        fault: Fault,
        /// The database's words.
        detail: String,
    },
    /// Another database, or another role there, than policy names.
    #[error(
        "the target is not what policy names: its {what} is {found}, expected {expected}; correct \
         the address, or sign a policy with the new {what}"
    )]
    Identity {
        /// What was compared: application id, system identifier, database, role …
        what: &'static str,
        /// As in policy.
        expected: String,
        /// As at the target.
        found: String,
    },
    /// The login role can do more than read what is granted.
    #[error("the role {role} {problem}; give the target a role that can only read what is granted")]
    Role {
        /// As in policy.
        role: String,
        /// What it can do, as a verb.
        problem: String,
        /// Names out of the database's catalog, or none.
        detail: String,
    },
    /// The pinned settings of the session did not arrive, or its server changed under way.
    #[error(
        "{problem}; connect to the server itself: a connection pooler shares sessions and drops \
         settings"
    )]
    Pooled {
        /// What was noticed.
        problem: String,
    },
    /// The server is a primary, perhaps since a moment ago.
    #[error(
        "the target is not a replica: the server is not in recovery, so it has been promoted or is \
         a primary; correct the address to a standby"
    )]
    NotReplica,
    /// The replica is too far behind.
    #[error(
        "the replica lags {} behind its primary, and policy allows {s_max} s; wait until it has \
         caught up, or sign a policy with a higher `lag_s_max`",
        .found_s.map_or_else(|| "by an unknown time".to_owned(), |s| format!("{s} s"))
    )]
    Lag {
        /// Seconds, rounded up; unknown when nothing was replayed yet.
        found_s: Option<u64>,
        /// As in policy.
        s_max: u64,
    },
    /// Something granted that the role may not read, or that must not be read through it.
    #[error("policy grants {what}, but {problem}")]
    Ungrantable {
        /// `table x` or `column x.y`.
        what: String,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
    /// A mask on a column whose type it does not fit.
    #[error("policy masks {what}, whose type is {db_type}, but {problem}")]
    Unmaskable {
        /// The column.
        what: String,
        /// Its type.
        db_type: String,
        /// What fits.
        problem: &'static str,
    },
    /// The server would write the keys of hashed columns into its log.
    #[error(
        "policy has keyed hashes, and the server would log their keys: {setting} is {found}; have an \
         administrator run ALTER ROLE \"{role}\" SET {setting} = '{wanted}'"
    )]
    LogsKeys {
        /// The login role.
        role: String,
        /// Which setting.
        setting: String,
        /// Its value.
        found: String,
        /// The value that keeps keys out.
        wanted: String,
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
    /// What the statement reads or calls is not what its reviewers saw.
    #[error(
        "the catalog is not what was reviewed: {}; have the revision reviewed again",
        .differences.join("; ")
    )]
    Drift {
        /// In words made of names and types that the policy grants.
        differences: Vec<String>,
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
    /// The planner expects the statement to cost more than policy allows. What it expects is evidence
    /// only: it tells how many rows a predicate finds.
    #[error(
        "the statement is too costly for the target, so it was not run: the planner expects more than \
         {max} of {what}; narrow it, use an index, or sign a policy with a higher `cost_max`"
    )]
    TooCostly {
        /// Of what.
        what: &'static str,
        /// The ceiling.
        max: u64,
        /// What the planner expects.
        detail: String,
    },
    /// As many sessions are open as the target may have.
    #[error("the target is busy: {max} sessions are open there; run it again in a moment")]
    Busy {
        /// How many it may have.
        max: usize,
    },
    /// A capacity of the engine that we set low: value length, statement size, nesting.
    #[error("the statement needs more than the target allows: {capacity}")]
    TooBig {
        /// Which capacity.
        capacity: &'static str,
        /// The database's words.
        detail: String,
    },
    /// Somebody holds the database, or a table.
    #[error("the target is locked by {by}; try again")]
    Locked {
        /// Whom.
        by: &'static str,
        /// The database's words.
        detail: String,
    },
    /// The replica cancelled the statement because replay needed what it was reading.
    #[error("the replica cancelled the statement in favour of replay; try again")]
    Conflict {
        /// The database's words.
        detail: String,
    },
    /// The server closed the connection, or it broke.
    #[error("the target's server closed the connection; start a new run")]
    Disconnected {
        /// The database's or the system's words.
        detail: String,
    },
    /// A value that cannot be given to a script without changing it.
    #[error("the value of {column} cannot be read: {problem}; cast it to text in the query")]
    Unreadable {
        /// The column and its type.
        column: String,
        /// Why.
        problem: &'static str,
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
            Self::Role { .. } => "role",
            Self::Pooled { .. } => "pooled",
            Self::NotReplica => "not-a-replica",
            Self::Lag { .. } => "lag",
            Self::Missing { .. } => "missing",
            Self::Ungrantable { .. } => "ungrantable",
            Self::Unmaskable { .. } => "unmaskable",
            Self::LogsKeys { .. } => "logs-keys",
            Self::NotAllowed { .. } => "not-allowed",
            Self::Drift { .. } => "drift",
            Self::BadParameters { .. } => "bad-parameters",
            Self::StatementTime { .. } => "statement-time",
            Self::TooCostly { .. } => "too-costly",
            Self::Busy { .. } => "busy",
            Self::TooBig { .. } => "too-big",
            Self::Locked { .. } => "locked",
            Self::Conflict { .. } => "conflict",
            Self::Disconnected { .. } => "disconnected",
            Self::Unreadable { .. } => "unreadable",
            Self::Cancelled => "cancelled",
            Self::Database { .. } => "database-error",
            Self::SessionLost => "session-lost",
        }
    }

    /// The database's own words: evidence for the recording. They can quote data, so they never
    /// reach a script.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Unreachable { detail, .. }
            | Self::Role { detail, .. }
            | Self::NotAllowed { detail, .. }
            | Self::TooCostly { detail, .. }
            | Self::TooBig { detail, .. }
            | Self::Locked { detail, .. }
            | Self::Conflict { detail }
            | Self::Disconnected { detail }
            | Self::Database { detail } => {
                Some(detail).filter(|d| !d.is_empty()).map(String::as_str)
            }
            Self::Config { .. }
            | Self::Identity { .. }
            | Self::Pooled { .. }
            | Self::NotReplica
            | Self::Lag { .. }
            | Self::Missing { .. }
            | Self::Ungrantable { .. }
            | Self::Unmaskable { .. }
            | Self::LogsKeys { .. }
            | Self::Drift { .. }
            | Self::Unreadable { .. }
            | Self::BadParameters { .. }
            | Self::StatementTime { .. }
            | Self::Busy { .. }
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
            | Self::TooCostly { .. }
            | Self::TooBig { .. }
            | Self::Unreadable { .. }
            // SQLite reports mistakes in SQL this way; a broken file is the rarer cause.
            | Self::Database { .. } => Fault::Script,
            Self::Config { .. }
            | Self::Identity { .. }
            | Self::Role { .. }
            | Self::Pooled { .. }
            | Self::NotReplica
            | Self::Missing { .. }
            | Self::Ungrantable { .. }
            | Self::Unmaskable { .. }
            | Self::Drift { .. }
            | Self::LogsKeys { .. } => Fault::Operator,
            Self::Unreachable { fault, .. } => *fault,
            Self::Lag { .. }
            | Self::Busy { .. }
            | Self::Locked { .. }
            | Self::Conflict { .. }
            | Self::Disconnected { .. } => Fault::Target,
            Self::Cancelled => Fault::Nobody,
            Self::SessionLost => Fault::Runner,
        }
    }

    /// Whether the statement had been sent to the target to run, so that it may have run there.
    #[must_use]
    pub const fn was_asked(&self) -> bool {
        match self {
            Self::Config { .. }
            | Self::Unreachable { .. }
            | Self::Identity { .. }
            | Self::Role { .. }
            | Self::Pooled { .. }
            | Self::NotReplica
            | Self::Lag { .. }
            | Self::Busy { .. }
            | Self::TooCostly { .. }
            | Self::Missing { .. }
            | Self::Ungrantable { .. }
            | Self::Unmaskable { .. }
            | Self::LogsKeys { .. }
            // It was parsed, and not executed.
            | Self::Drift { .. } => false,
            Self::NotAllowed { .. }
            | Self::BadParameters { .. }
            | Self::StatementTime { .. }
            | Self::TooBig { .. }
            | Self::Locked { .. }
            | Self::Conflict { .. }
            | Self::Disconnected { .. }
            | Self::Unreadable { .. }
            | Self::Cancelled
            | Self::Database { .. }
            | Self::SessionLost => true,
        }
    }

    /// The same error with the database's words rewritten.
    pub(crate) fn with_detail(mut self, rewrite: impl FnOnce(&str) -> String) -> Self {
        if let Self::Unreachable { detail, .. }
        | Self::Role { detail, .. }
        | Self::NotAllowed { detail, .. }
        | Self::TooBig { detail, .. }
        | Self::Locked { detail, .. }
        | Self::Conflict { detail }
        | Self::Disconnected { detail }
        | Self::Database { detail } = &mut self
        {
            *detail = rewrite(detail);
        }
        self
    }

    pub(crate) fn not_allowed(reason: impl Into<String>) -> Self {
        Self::NotAllowed { reason: reason.into(), detail: String::new() }
    }
}
