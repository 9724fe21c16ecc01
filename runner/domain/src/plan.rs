//! What a target's planner expects of a revision's queries, for people who review and approve.
//!
//! An expectation tells how many rows a predicate finds, and so something about the data: only its power
//! of ten leaves the target's connector, for values that nobody has chosen.

use serde::{Deserialize, Serialize};

use crate::names::QueryName;

/// A number that is known by its power of ten only: at most `10^power`, and more than a tenth of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Magnitude(pub u32);

impl Magnitude {
    /// Of a number; everything up to 1 is of the power 0, and what is no number of the highest.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to 400")]
    pub fn of(number: f64) -> Self {
        if number.is_nan() {
            return Self(400);
        }
        Self(number.max(1.0).log10().ceil().clamp(0.0, 400.0) as u32)
    }
}

impl std::fmt::Display for Magnitude {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match 10u64.checked_pow(self.0).filter(|n| *n <= 1_000_000) {
            Some(n) => write!(f, "{n}"),
            None => write!(f, "10^{}", self.0),
        }
    }
}

/// What a planner expects of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Rows that it gives, before any cap.
    pub rows: Magnitude,
    /// In the planner's unit, in which policy's `cost_max` is.
    pub cost: Magnitude,
}

/// The same of a query, or why there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedQuery {
    /// Its name in the manifest.
    pub name: QueryName,
    /// What is expected.
    pub expected: Option<Expected>,
    /// Why nothing is: the gate refuses it, or the engine has no such numbers.
    pub problem: Option<String>,
}

/// What a planner expects of a revision's queries on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// In the manifest's order.
    pub queries: Vec<PlannedQuery>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_known_by_its_power_of_ten_only() {
        for (number, told) in [
            (-3.0, "1"),
            (0.0, "1"),
            (1.0, "1"),
            (1.5, "10"),
            (10.0, "10"),
            (11.0, "100"),
            (999_999.0, "1000000"),
            (1_000_001.0, "10^7"),
            (f64::INFINITY, "10^400"),
            (f64::NAN, "10^400"),
        ] {
            assert_eq!(Magnitude::of(number).to_string(), told, "{number}");
        }
        assert_eq!(Magnitude::of(12.0), Magnitude::of(99.0));
    }
}
