//! Memory and tables of a whole run, counted over all memories together; wasmtime's own limits are
//! per memory.

use wasmtime::ResourceLimiter;

use crate::engine::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLES_MAX};

/// Elements of all tables together.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 400_000;

/// What a run has and may have.
pub(crate) struct Quota {
    memory_max: usize,
    memory: usize,
    elements: usize,
    /// A growth was refused since the last one that was not; a trap is then blamed on memory.
    pub(crate) short_of_memory: bool,
    /// Any growth was ever refused.
    pub(crate) memory_refused: bool,
    /// The same two for tables.
    pub(crate) short_of_elements: bool,
    pub(crate) elements_refused: bool,
    /// The machine could not give what the quota allows; the run is not replayable.
    pub(crate) machine_failed: bool,
}

impl Quota {
    pub(crate) fn new(memory_max: u64) -> Self {
        Self {
            memory_max: usize::try_from(memory_max).unwrap_or(usize::MAX),
            memory: 0,
            elements: 0,
            short_of_memory: false,
            memory_refused: false,
            short_of_elements: false,
            elements_refused: false,
            machine_failed: false,
        }
    }

    /// Bytes of all memories; they never shrink, so this is also the peak.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory as u64
    }

    fn refuse(&mut self) -> bool {
        self.short_of_memory = true;
        self.memory_refused = true;
        false
    }
}

impl ResourceLimiter for Quota {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|max| desired > max) {
            return Ok(self.refuse());
        }
        let next = self.memory.saturating_add(desired.saturating_sub(current));
        if next > self.memory_max {
            return Ok(self.refuse());
        }
        self.memory = next;
        self.short_of_memory = false;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // Beyond 4 GiB wasmtime asks us nothing; the guest sees -1 as for any refusal.
        if error.to_string().starts_with("memory growth exceeds memory type's limits") {
            self.refuse();
            return Ok(());
        }
        // The machine's shortage must not become a value that the guest sees: a replay would differ.
        self.machine_failed = true;
        Err(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let next = self.elements.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|max| desired > max) || next > TABLE_ELEMENTS_MAX {
            self.short_of_elements = true;
            self.elements_refused = true;
            return Ok(false);
        }
        self.elements = next;
        self.short_of_elements = false;
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.machine_failed = true;
        Err(error)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize * 2
    }
    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }
    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}
