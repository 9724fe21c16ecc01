//! A run's states, outcomes and the legal moves between them.

use serde::{Deserialize, Serialize};

use crate::limits::LimitName;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", deny_unknown_fields)]
pub enum Outcome {
    /// The script returned a value.
    Succeeded,
    /// The script returned an error or trapped.
    Failed,
    /// It never started.
    Denied,
    /// It hit a limit that ends runs.
    LimitExceeded {
        /// Which.
        limit: LimitName,
    },
    /// Somebody cancelled it, or a stop arrived.
    Cancelled,
    /// The runner died or could not record; what happened after the last record is unknown.
    Lost,
}

impl Outcome {
    /// The state's code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::LimitExceeded { .. } => "limit-exceeded",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "phase", deny_unknown_fields)]
pub enum RunState {
    /// Accepted, waiting for a slot.
    Queued,
    /// The runner has recorded its start.
    Running,
    /// Over.
    Ended {
        /// How.
        outcome: Outcome,
    },
}

/// A move that no run makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {from} cannot become {to}")]
pub struct IllegalMove {
    /// The state it is in.
    pub from: &'static str,
    /// The state that was wanted.
    pub to: &'static str,
}

impl RunState {
    /// The state's code: `queued`, `running` or the outcome's.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ended { outcome } => outcome.code(),
        }
    }

    /// Moves to `next`.
    ///
    /// # Errors
    /// `denied` is reached only from `queued`; `succeeded`, `failed` and `limit-exceeded` only from
    /// `running`; nothing leaves an end.
    pub const fn to(self, next: Self) -> Result<Self, IllegalMove> {
        let legal = match (self, next) {
            (Self::Queued, Self::Running) => true,
            (Self::Queued, Self::Ended { outcome }) => {
                matches!(outcome, Outcome::Denied | Outcome::Cancelled | Outcome::Lost)
            }
            (Self::Running, Self::Ended { outcome }) => !matches!(outcome, Outcome::Denied),
            _ => false,
        };
        if legal { Ok(next) } else { Err(IllegalMove { from: self.code(), to: next.code() }) }
    }
}

#[cfg(test)]
mod tests;
