//! The vocabulary of Borescope and its pure rules.
//!
//! Ids, digests, names, values, masks, limits, the bundle and its manifest, the capability algebra,
//! run states and [`decide()`]. Everything here takes values and returns values: no IO, no clock, no
//! entropy, no async. What is *not* here: signatures and signed documents (crate `trust`), the log
//! (crate `ledger`), and anything that runs a script (crates `sandbox` and `executor`).

mod text;

pub mod analysis;
pub mod bundle;
pub mod capability;
pub mod decide;
pub mod digest;
pub mod display;
pub mod ids;
pub mod limits;
pub mod manifest;
pub mod mask;
pub mod names;
pub mod plan;
pub mod ports;
pub mod run;
pub mod schema;
pub mod time;
pub mod value;

pub use analysis::{Analysis, AnalysisRef, QueryAnalysis};
pub use bundle::{BundleIndex, BundlePath};
pub use capability::{Capabilities, OnPair, Pair, Scope, TargetScope};
pub use decide::{Decision, Denial, Facts, Rule, Step, Way, decide, explain};
pub use digest::Digest;
pub use ids::*;
pub use limits::{LimitName, Limits, QueryLimits};
pub use manifest::Manifest;
pub use mask::{ColumnPath, Mask};
pub use names::*;
pub use ports::{Clock, Entropy};
pub use run::{Outcome, RunState};
pub use text::ParseError;
pub use time::Timestamp;
pub use value::{Column, ParamType, Table, Value};
