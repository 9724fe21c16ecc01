//! The runner: verifies an order by itself, and executes it once, recorded.
//!
//! `order → verify → decide → spend and record → run → record → release → receipt`. It believes the
//! signed documents that its pin leads to, its own ledger, and nothing else: whoever hands it orders
//! and blobs can withhold service, but cannot make it execute or read what people did not sign. It
//! never depends on the control plane's crates (`store`, `app`, `api`, `server`).

pub mod analysis;
pub mod bundle;
pub mod events;
pub mod evidence;
pub mod order;
pub mod ports;
pub mod queries;
pub mod replay;
pub mod runner;
pub mod state;

mod accept;
mod adopt;
mod catalog;
mod deadlines;
mod execute;
mod hash_secret;
mod host;
mod plan;
mod reach;
mod receipt;
mod recorded;
mod recording_file;
mod release;
mod status;
mod verify;

pub use catalog::NoCatalog;
pub use events::{Ended, Output, ReplicaLag, RunEvent, TROUBLES_MAX, Trouble, TroubleFault};
pub use order::{OrderReader, RunOrder};
pub use plan::{NoPlan, PlanOrder};
pub use ports::{Blobs, Connectors, OsEntropy, SystemClock};
pub use reach::NotReached;
pub use recorded::Together;
pub use runner::{AuthorityDocuments, LocalRunner, Runner, RunnerOptions};
