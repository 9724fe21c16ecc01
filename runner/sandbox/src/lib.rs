//! The sandbox: runs one reviewed component with exactly the host interfaces that it was granted,
//! records every call, and replays a recording.
//!
//! It owns wasmtime: engine settings, static admission, limits, the host interfaces of
//! `borescope:debug`, an empty deterministic WASI world, the recorder and the replayer. It reaches
//! out only through [`Host`], and knows nothing of signatures, ledgers or databases. Its neighbour
//! above is the executor, which implements [`Host`]; below is only `domain`.

mod admit;
mod artifact;
pub mod bounds;
mod bridge;
mod cancel;
mod drive;
mod engine;
mod error;
mod finish;
mod gate;
mod inspect;
mod interfaces;
mod limiter;
mod link;
mod live;
mod port;
mod random;
pub mod recording;
mod replay;
mod run;
mod wasi;
mod world;

pub use admit::Admitted;
pub use cancel::Cancel;
pub use engine::{Sandbox, SandboxOptions};
pub use error::{Refusal, SandboxError};
pub use finish::Finished;
pub use inspect::ComponentFacts;
pub use link::Linked;
pub use port::{CallError, Host, HostFault, OpenedCursor, Page, QueryBudget};
pub use recording::{
    Artifact, Captured, Event, Frame, LogLine, Recording, RecordingError, ScriptError,
    ScriptResult, StopPoint,
};
pub use replay::Replay;
pub use run::Plan;

#[cfg(test)]
mod tests;
