//! What a new version of keyring, directory or policy changes, in sentences that somebody reads
//! before signing it.
//!
//! Each line says whether it widens what is possible or narrows it. Whatever is neither for certain
//! counts as widening, so that nobody reads past it. Two versions without a difference here say the
//! same. What a change means for people is in [`crate::imagine`]; nothing here decides.

mod directory;
mod keyring;
mod lists;
mod policy;

use std::fmt;

use serde::Serialize;

pub use directory::of_directory;
pub use keyring::of_keyring;
pub use policy::of_policy;

/// Whether something becomes possible that was not, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// More is possible, or somebody has to think about it.
    Widens,
    /// Less is possible.
    Narrows,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Widens => "widens",
            Self::Narrows => "narrows",
        })
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// In which direction it goes.
    pub effect: Effect,
    /// Whether it lets fewer or other people decide, or reaches other data: read these first.
    pub grave: bool,
    /// What, in words; text of others is neutralised.
    pub what: String,
}

/// Differences, collected.
#[derive(Debug, Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn grave(&mut self, what: impl Into<String>) {
        self.0.push(Change { effect: Effect::Widens, grave: true, what: what.into() });
    }

    fn widens(&mut self, what: impl Into<String>) {
        self.0.push(Change { effect: Effect::Widens, grave: false, what: what.into() });
    }

    fn narrows(&mut self, what: impl Into<String>) {
        self.0.push(Change { effect: Effect::Narrows, grave: false, what: what.into() });
    }

    /// The gravest first, otherwise in the order of the document.
    fn sorted(mut self) -> Vec<Change> {
        self.0.sort_by_key(|c| (!c.grave, c.effect));
        self.0
    }
}

#[cfg(test)]
mod tests;
