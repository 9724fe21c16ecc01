//! From a component's bytes to code that is ready to link: inspect, compile or load, keep.
//!
//! Compilation runs on a blocking thread, few at a time and for a bounded wait; what it may cost is
//! bounded before, by [`crate::inspect`], as well as that can be known. A thread cannot be ended: a
//! compilation that is given up goes on, and keeps its place, until it is done.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::Digest;
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre};

use crate::artifact::Artifacts;
use crate::engine::{Sandbox, SandboxOptions};
use crate::error::Refusal;
use crate::inspect::ComponentFacts;
use crate::world::World;

/// Admitted components in memory; a runner has few scripts in use at a time.
const ADMITTED_MAX: usize = 64;

/// A component that has passed admission and is compiled.
pub struct Admitted {
    pub(crate) facts: ComponentFacts,
    pub(crate) component: Component,
    /// Prepared instances without and with `sql`, made on first use.
    pub(crate) prepared: [OnceLock<InstancePre<World>>; 2],
}

impl Admitted {
    fn new(facts: ComponentFacts, component: Component) -> Self {
        Self { facts, component, prepared: [OnceLock::new(), OnceLock::new()] }
    }

    /// What admission found out.
    #[must_use]
    pub fn facts(&self) -> &ComponentFacts {
        &self.facts
    }
}

impl Sandbox {
    /// Inspects a component and compiles it, or takes what was compiled before. Waits while
    /// `concurrent_compiles_max` others compile, as long as a compilation may take.
    ///
    /// # Errors
    /// As [`Sandbox::inspect`]; and when compiling fails or takes too long, or has not begun by then.
    pub async fn admit(&self, component: Arc<[u8]>) -> Result<Arc<Admitted>, Refusal> {
        let digest = Digest::of(&component);
        if let Some(known) = self.known(&digest) {
            return Ok(known);
        }
        let max_ms = self.options.compile_ms_max;
        let crashed = || Refusal::CompilerCrash { component: digest };
        let (engine, options, build) = (self.engine.clone(), self.options.clone(), self.build);
        let bytes = Arc::clone(&component);
        // What was compiled before needs no compiler, so nobody who keeps it busy is in the way.
        let stored = tokio::task::spawn_blocking(move || load(&engine, &options, build, &bytes));
        let (facts, stored) = stored.await.map_err(|_| crashed())??;
        if let Some(component) = stored {
            return Ok(self.keep(digest, Arc::new(Admitted::new(facts, component))));
        }
        let free = Arc::clone(&self.compiles).acquire_owned();
        let permit = match tokio::time::timeout(Duration::from_millis(max_ms), free).await {
            Err(_) => return Err(Refusal::CompilerBusy { max_ms }),
            Ok(permit) => permit.map_err(|_| crashed())?,
        };
        // Somebody else may have compiled it while we waited.
        if let Some(known) = self.known(&digest) {
            return Ok(known);
        }
        let (engine, options) = (self.engine.clone(), self.options.clone());
        let work = tokio::task::spawn_blocking(move || {
            // The permit goes with the thread: a compilation that is given up still counts.
            let _permit = permit;
            compile(&engine, &options, build, facts, &component)
        });
        let admitted = match tokio::time::timeout(Duration::from_millis(max_ms), work).await {
            Err(_) => return Err(Refusal::CompileTime { max_ms }),
            Ok(Err(_)) => return Err(crashed()),
            Ok(Ok(done)) => Arc::new(done?),
        };
        Ok(self.keep(digest, admitted))
    }

    /// What was admitted before for a component's digest; the caller has hashed the bytes.
    #[must_use]
    pub fn admitted(&self, digest: &Digest) -> Option<Arc<Admitted>> {
        self.known(digest)
    }

    fn known(&self, digest: &Digest) -> Option<Arc<Admitted>> {
        locked(&self.admitted).get(digest).cloned()
    }

    fn keep(&self, digest: Digest, admitted: Arc<Admitted>) -> Arc<Admitted> {
        let mut all = locked(&self.admitted);
        if all.len() >= ADMITTED_MAX {
            // Whichever is not in use; if all are, none is thrown away and this one is not kept.
            let idle = all.iter().find(|(_, a)| Arc::strong_count(a) == 1).map(|(d, _)| *d);
            match idle {
                Some(idle) => all.remove(&idle),
                None => return admitted,
            };
        }
        Arc::clone(all.entry(digest).or_insert(admitted))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn artifacts(options: &SandboxOptions, build: Digest) -> Option<Artifacts<'_>> {
    let dir = options.artifact_dir.as_deref()?;
    Some(Artifacts { dir, key: &options.mac_key, build })
}

/// Inspects, and takes what was compiled before if it is there.
fn load(
    engine: &Engine,
    options: &SandboxOptions,
    build: Digest,
    bytes: &[u8],
) -> Result<(ComponentFacts, Option<Component>), Refusal> {
    let facts = Sandbox::inspect(bytes)?;
    let stored = artifacts(options, build).and_then(|a| a.load(&facts.digest));
    Ok((facts, stored.and_then(|bytes| deserialize(engine, &bytes))))
}

fn compile(
    engine: &Engine,
    options: &SandboxOptions,
    build: Digest,
    facts: ComponentFacts,
    bytes: &[u8],
) -> Result<Admitted, Refusal> {
    let artifact = engine.precompile_component(bytes).map_err(|e| refused(&e))?;
    if let Some(artifacts) = artifacts(options, build) {
        artifacts.store(&facts.digest, &artifact);
    }
    let component = deserialize(engine, &artifact).ok_or_else(|| Refusal::Prepare {
        problem: "the compiled code does not load".to_owned(),
    })?;
    Ok(Admitted::new(facts, component))
}

/// Loads code that this process has just compiled, or whose MAC has just been verified.
#[expect(unsafe_code, reason = "loading compiled code is unsafe by nature; it is authenticated")]
fn deserialize(engine: &Engine, artifact: &[u8]) -> Option<Component> {
    // SAFETY: `deserialize` trusts the bytes to be what `precompile_component` wrote. They are: both
    // callers have them either directly from it, or from `Artifacts::load`, which authenticated these
    // very bytes with a key that only this runner has.
    let loaded = unsafe { Component::deserialize(engine, artifact) };
    loaded.inspect_err(|error| tracing::warn!(%error, "a compiled component does not load")).ok()
}

pub(crate) fn refused(e: &wasmtime::Error) -> Refusal {
    Refusal::Prepare { problem: domain::display::neutralise(&format!("{e:#}")) }
}
