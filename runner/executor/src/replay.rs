//! Replays a recording: the same component on the same engine build, with every outside result taken
//! from the recording. No target is reached, no permission is evaluated.

use std::sync::Arc;

use domain::{Digest, Manifest, Scope};
use sandbox::recording::{Header, Recording, RecordingError};
use sandbox::{Plan, Refusal, Replay, Sandbox};

/// Why a recording cannot be replayed at all.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It is damaged; the text names the call.
    #[error("the recording is damaged")]
    Recording(#[from] RecordingError),
    /// It has no header.
    #[error("the recording ends before its header")]
    NoHeader,
    /// The component is not the one that ran.
    #[error("the recording is of component {recorded}, not of {given}")]
    OtherComponent {
        /// As recorded.
        recorded: Digest,
        /// As given.
        given: Digest,
    },
    /// Fuel and traps are only comparable on the engine that recorded them.
    #[error(
        "the recording was made by engine build {recorded}, this is {this}; replay it with the build that made it"
    )]
    OtherEngine {
        /// As recorded.
        recorded: Digest,
        /// This one.
        this: Digest,
    },
    /// The recorded scope is malformed.
    #[error("the recording's effective scope is malformed")]
    Scope(#[from] domain::capability::ScopeError),
    /// The seed is malformed.
    #[error("the recording's seed is malformed")]
    Seed,
    /// The component is refused.
    #[error("the component cannot be loaded")]
    Component(#[from] Refusal),
}

/// Replays `recording` with the component and manifest of its revision.
///
/// # Errors
/// When it cannot be replayed; a difference found while replaying is a [`Replay`].
pub async fn replay(
    sandbox: &Sandbox,
    recording: &[u8],
    component: Arc<[u8]>,
    manifest: Arc<Manifest>,
) -> Result<Replay, ReplayError> {
    let recording = Recording::parse(recording)?;
    let header = recording.header().ok_or(ReplayError::NoHeader)?.clone();
    let given = Digest::of(&component);
    if given != header.component {
        return Err(ReplayError::OtherComponent { recorded: header.component, given });
    }
    if header.engine_build != sandbox.engine_build() {
        let (recorded, this) = (header.engine_build, sandbox.engine_build());
        return Err(ReplayError::OtherEngine { recorded, this });
    }
    let plan = plan(&header, manifest)?;
    let admitted = sandbox.admit(component).await?;
    let linked = sandbox.link(&admitted, &plan.effective)?;
    Ok(sandbox.replay(&linked, &recording, plan).await)
}

fn plan(header: &Header, manifest: Arc<Manifest>) -> Result<Plan, ReplayError> {
    let scope: &Scope = &header.effective;
    Ok(Plan {
        run: header.run.clone(),
        revision: header.revision,
        manifest,
        effective: scope.capabilities()?,
        input: header.input.clone(),
        started_at_ms: header.started_at_ms,
        seed: header.seed.clone().try_into().map_err(|_| ReplayError::Seed)?,
    })
}
