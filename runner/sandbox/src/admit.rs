//! From a component's bytes to code that is ready to link: inspect, compile or load, keep.
//!
//! Compilation runs on a blocking thread, few at a time and for a bounded wait; what it may cost is
//! bounded before, by [`crate::inspect`].

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::Digest;
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre};

use crate::artifact::Artifacts;
use crate::engine::{MEMORIES_MAX, Sandbox, SandboxOptions, TABLES_MAX};
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
    /// What admission found out.
    #[must_use]
    pub fn facts(&self) -> &ComponentFacts {
        &self.facts
    }
}

impl Sandbox {
    /// Inspects a component and compiles it, or takes what was compiled before. Waits while
    /// `concurrent_compiles_max` others compile.
    ///
    /// # Errors
    /// As [`Sandbox::inspect`]; and when compiling fails or takes too long.
    pub async fn admit(&self, component: Arc<[u8]>) -> Result<Arc<Admitted>, Refusal> {
        let digest = Digest::of(&component);
        if let Some(known) = self.known(&digest) {
            return Ok(known);
        }
        let max_ms = self.options.compile_ms_max;
        let crashed = || Refusal::CompilerCrash { component: digest };
        let permit = Arc::clone(&self.compiles).acquire_owned().await.map_err(|_| crashed())?;
        // Somebody else may have compiled it while we waited.
        if let Some(known) = self.known(&digest) {
            return Ok(known);
        }
        let (engine, options, build) = (self.engine.clone(), self.options.clone(), self.build);
        let work = tokio::task::spawn_blocking(move || {
            // The permit goes with the thread: a compilation that is given up still counts.
            let _permit = permit;
            prepare(&engine, &options, build, &component)
        });
        let admitted = match tokio::time::timeout(Duration::from_millis(max_ms), work).await {
            Err(_) => return Err(Refusal::CompileTime { max_ms }),
            Ok(Err(_)) => return Err(crashed()),
            Ok(Ok(done)) => Arc::new(done?),
        };
        Ok(self.keep(digest, admitted))
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

fn prepare(
    engine: &Engine,
    options: &SandboxOptions,
    build: Digest,
    bytes: &[u8],
) -> Result<Admitted, Refusal> {
    let facts = Sandbox::inspect(bytes)?;
    let artifacts =
        options.artifact_dir.as_deref().map(|dir| Artifacts { dir, key: &options.mac_key, build });
    let stored = artifacts
        .as_ref()
        .and_then(|a| a.load(&facts.digest))
        .and_then(|b| deserialize(engine, &b));
    let component = match stored {
        Some(component) => component,
        None => {
            let artifact = engine.precompile_component(bytes).map_err(|e| refused(&e))?;
            if let Some(artifacts) = &artifacts {
                artifacts.store(&facts.digest, &artifact);
            }
            deserialize(engine, &artifact).ok_or_else(|| Refusal::Prepare {
                problem: "the compiled code does not load".to_owned(),
            })?
        }
    };
    if let Some(needs) = component.resources_required() {
        let bound = |what, got: u32, max: u32| {
            if got > max {
                Err(Refusal::TooLarge { what, got: got.into(), max: max.into() })
            } else {
                Ok(())
            }
        };
        bound("memories", needs.num_memories, MEMORIES_MAX)?;
        bound("tables", needs.num_tables, TABLES_MAX)?;
    }
    Ok(Admitted { facts, component, prepared: [OnceLock::new(), OnceLock::new()] })
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
