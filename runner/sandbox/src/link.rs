//! From effective capabilities to a component that is linked with exactly what they name.

use std::sync::Arc;

use domain::{Capabilities, Limits};
use wasmtime::Engine;
use wasmtime::component::{InstancePre, Linker};

use crate::admit::{Admitted, refused};
use crate::engine::Sandbox;
use crate::error::Refusal;
use crate::interfaces::{log, output, run_context, sql, versioned};
use crate::world::World;

/// Types alone; gives nothing.
const TYPES: &str = "borescope:debug/types";
/// What every script has.
const ALWAYS: [&str; 4] = [TYPES, log::INTERFACE, output::INTERFACE, run_context::INTERFACE];

/// An admitted component with its interfaces; ready to run any number of times.
pub struct Linked {
    pub(crate) prepared: InstancePre<World>,
    pub(crate) admitted: Arc<Admitted>,
    interfaces: Vec<&'static str>,
}

impl Linked {
    /// The interfaces of `borescope:debug` that the component can reach, without version.
    #[must_use]
    pub fn interfaces(&self) -> &[&'static str] {
        &self.interfaces
    }
}

/// A linker with WASI, what every script has, and `sql` if asked for.
pub(crate) fn linker(engine: &Engine, with_sql: bool) -> wasmtime::Result<Linker<World>> {
    let mut l = Linker::new(engine);
    crate::wasi::link(&mut l)?;
    l.instance(&versioned(TYPES))?;
    log::link(&mut l)?;
    output::link(&mut l)?;
    run_context::link(&mut l)?;
    if with_sql {
        sql::link(&mut l)?;
    }
    Ok(l)
}

impl Sandbox {
    /// Links a component with what its effective capabilities name, and nothing else.
    ///
    /// # Errors
    /// When it imports an interface that is not among them, with the names of all that are missing;
    /// and when the limit of memory is above what this sandbox holds. Nothing has run then.
    pub fn link(
        &self,
        admitted: &Arc<Admitted>,
        effective: &Capabilities,
    ) -> Result<Linked, Refusal> {
        let max = Limits::CEILING.memory_bytes_max;
        if effective.limits.memory_bytes_max > max {
            return Err(Refusal::Capacity { got: effective.limits.memory_bytes_max, max });
        }
        let with_sql = effective.uses_sql();
        let mut interfaces = ALWAYS.to_vec();
        if with_sql {
            interfaces.push(sql::INTERFACE);
        }
        let missing: Vec<&str> =
            admitted.facts.interfaces().filter(|i| !interfaces.contains(i)).collect();
        if !missing.is_empty() {
            return Err(Refusal::NotLinked { missing: missing.join(", ") });
        }
        let slot = &admitted.prepared[usize::from(with_sql)];
        let prepared = match slot.get() {
            Some(prepared) => prepared.clone(),
            None => {
                let mut l = self.linkers[usize::from(with_sql)].clone();
                crate::wasi::link_empty(&mut l, &admitted.component).map_err(|e| refused(&e))?;
                let prepared = l.instantiate_pre(&admitted.component).map_err(|e| refused(&e))?;
                slot.get_or_init(|| prepared).clone()
            }
        };
        Ok(Linked { prepared, admitted: Arc::clone(admitted), interfaces })
    }
}
