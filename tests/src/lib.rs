//! Support for the scenarios: a company of people with keys, a runner with its own directory, and the
//! means to attack and to break both.
//!
//! Everything real is real here too: documents are signed, components run, SQLite files are read, the
//! log is fsynced. Only clock and entropy are replaced, and whatever a scenario breaks on purpose.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

pub mod ambient;
pub mod blobs;
pub mod certificates;
pub mod company;
pub mod faults;
pub mod fuzz;
pub mod guests;
pub mod hostile;
pub mod postgres;
pub mod raw_http;
pub mod rig;
pub mod served;
pub mod sql_corpus;
pub mod sql_oracle;
pub mod town;
pub mod watch;
