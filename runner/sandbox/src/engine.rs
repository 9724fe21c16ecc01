//! The one engine of a process, its settings, and what they are called in a recording.
//!
//! Fuel is limit, preemption and determinism at once; there are no epochs. A change to anything in
//! [`engine_config`] or to a host function's behaviour is another engine build, and recordings of
//! the old one are replayed by the old one.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use domain::{Digest, Limits};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, ModuleVersionStrategy, OptLevel,
    PoolingAllocationConfig, ProfilingStrategy, Strategy, WasmBacktraceDetails,
};

use crate::admit::Admitted;
use crate::error::SandboxError;
use crate::world::World;

/// wasmtime's full version, as pinned in the workspace; a test compares it with the lock file.
pub(crate) const WASMTIME_VERSION: &str = "48.0.8";
/// What code is generated for, whatever machine compiles.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Raised with every change of behaviour in `interfaces`, `wasi`, `gate` or `random`.
const HOST_LAYER_VERSION: u32 = 3;

/// Fuel of instantiation. Its consumption depends on the operating system, so it never counts.
pub(crate) const INSTANTIATION_FUEL: u64 = 1_000_000_000;
/// Fuel between two yields, about 1 ms: how late a cancellation can be.
pub(crate) const YIELD_FUEL: u64 = 10_000_000;
/// Bytes that one host call may make the host allocate while it reads its arguments.
pub(crate) const HOST_CALL_BYTES_MAX: usize = 8 << 20;
/// Resources of one run: streams, pollables, cursors.
pub(crate) const HANDLES_MAX: usize = 1024;
/// Entries of the guest's own tables of resources, those that it defines itself among them. More than
/// [`HANDLES_MAX`], so that the host's table names the limit.
pub const OWN_HANDLES_MAX: usize = HANDLES_MAX * 4;
/// Bytes of the stack that a guest's calls may take.
pub(crate) const STACK_BYTES_MAX: usize = 2 << 20;
/// Bytes of the stack on which a guest runs: what its host functions need comes on top.
const FIBER_STACK_BYTES: usize = 2 * STACK_BYTES_MAX;

/// Bytes of one linear memory in the pool. The run's quota is smaller: see the assertion below.
const POOL_MEMORY_BYTES: usize = 512 << 20;
const _: () = assert!(Limits::CEILING.memory_bytes_max <= POOL_MEMORY_BYTES as u64);
/// Core instances of one component; CPython guests need about 80.
pub(crate) const CORE_INSTANCES_MAX: u32 = 200;
/// Memories of one component; guests have one, with an adapter two.
pub(crate) const MEMORIES_MAX: u32 = 8;
/// Tables of one component.
pub(crate) const TABLES_MAX: u32 = 32;
/// Memories of one core module.
pub(crate) const MEMORIES_PER_MODULE_MAX: u32 = 2;
/// Tables of one core module.
pub(crate) const TABLES_PER_MODULE_MAX: u32 = 4;

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where compiled components are kept; `None` keeps them in memory only.
    pub artifact_dir: Option<PathBuf>,
    /// Local to this runner; authenticates what is in `artifact_dir`. Whoever has it can run native
    /// code in the runner.
    pub mac_key: [u8; 32],
    /// Runs at a time; further ones wait.
    pub concurrent_runs_max: u32,
    /// Compilations at a time; further ones wait.
    pub concurrent_compiles_max: u32,
    /// Milliseconds after which a compilation is given up.
    pub compile_ms_max: u64,
}

/// The engine with everything that is shared between runs. One a process.
pub struct Sandbox {
    pub(crate) engine: Engine,
    pub(crate) build: Digest,
    pub(crate) options: SandboxOptions,
    pub(crate) runs: Semaphore,
    pub(crate) compiles: Arc<Semaphore>,
    pub(crate) admitted: Mutex<HashMap<Digest, Arc<Admitted>>>,
    /// With and without `sql`; WASI and what is always linked are in both.
    pub(crate) linkers: [Linker<World>; 2],
}

impl Sandbox {
    /// Starts the engine.
    ///
    /// # Errors
    /// When this machine cannot give it what it needs.
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let runs = options.concurrent_runs_max.max(1);
        let engine = engine_config(runs)
            .and_then(|c| Engine::new(&c))
            .map_err(|source| SandboxError::Engine { runs, source })?;
        let build = describe(&engine);
        let linkers = [
            crate::link::linker(&engine, false).map_err(SandboxError::Interfaces)?,
            crate::link::linker(&engine, true).map_err(SandboxError::Interfaces)?,
        ];
        let compiles = options.concurrent_compiles_max.max(1) as usize;
        Ok(Self {
            engine,
            build,
            runs: Semaphore::new(runs as usize),
            compiles: Arc::new(Semaphore::new(compiles)),
            admitted: Mutex::new(HashMap::new()),
            linkers,
            options,
        })
    }

    /// The digest of everything on which fuel and behaviour depend: wasmtime's full version, target,
    /// engine settings, limits of the sandbox, version of the host layer. A recording replays only
    /// under the build that made it.
    #[must_use]
    pub fn engine_build(&self) -> Digest {
        self.build
    }
}

fn engine_config(runs: u32) -> wasmtime::Result<Config> {
    let mut c = Config::new();
    c.wasm_component_model(true)
        .consume_fuel(true)
        .epoch_interruption(false)
        .concurrency_support(false);
    c.wasm_threads(false).shared_memory(false);
    c.wasm_gc(false).wasm_function_references(false).wasm_exceptions(false).gc_support(false);
    c.wasm_tail_call(false).wasm_memory64(false);
    c.wasm_relaxed_simd(false).relaxed_simd_deterministic(true);
    c.wasm_custom_page_sizes(false).wasm_wide_arithmetic(false).wasm_stack_switching(false);
    // `multi_memory` stays on: wasmtime's adapters need it, the compiler panics without.
    c.guard_before_linear_memory(true).memory_may_move(false).memory_init_cow(true);
    c.max_wasm_stack(STACK_BYTES_MAX).async_stack_size(FIBER_STACK_BYTES).async_stack_zeroing(true);
    c.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    c.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(64));
    c.generate_address_map(true).debug_info(false).profiler(ProfilingStrategy::None);
    c.strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true);
    c.target(TARGET)?;
    set_cpu_floor(&mut c);
    c.module_version(ModuleVersionStrategy::Custom(format!(
        "{WASMTIME_VERSION}+host{HOST_LAYER_VERSION}"
    )))?;
    c.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(runs)));
    Ok(c)
}

/// Code for x86-64-v3 on every machine, so that an artifact and its fuel mean the same everywhere.
fn set_cpu_floor(c: &mut Config) {
    // SAFETY: the preset only widens the instructions that generated code may use. wasmtime compares
    // the flags with the CPU when it loads code and refuses a CPU that lacks one.
    #[expect(unsafe_code, reason = "wasmtime has no safe setter for ISA presets")]
    unsafe {
        c.cranelift_flag_enable("x86-64-v3");
    }
}

fn pool(runs: u32) -> PoolingAllocationConfig {
    let mut p = PoolingAllocationConfig::new();
    // Twice the runs: a slot is free again only after its store is dropped. Each has all that one
    // component may have: a greedy run must not take what another one needs.
    let stores = runs.saturating_mul(2);
    p.total_component_instances(stores)
        .total_stacks(stores)
        .total_core_instances(stores.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(stores.saturating_mul(MEMORIES_MAX))
        .total_tables(stores.saturating_mul(TABLES_MAX))
        .total_gc_heaps(1);
    p.max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memories_per_module(MEMORIES_PER_MODULE_MAX)
        .max_tables_per_module(TABLES_PER_MODULE_MAX)
        .table_elements(100_000)
        .max_memory_size(POOL_MEMORY_BYTES);
    // No page of a memory stays mapped between runs. Measured with Rust guests of 1 MiB: clearing kept
    // pages costs more (52 against 24 us for instantiation and drop) than faulting in the few in use.
    p.linear_memory_keep_resident(0)
        .table_keep_resident(16 << 10)
        .async_stack_keep_resident(64 << 10);
    p
}

fn describe(engine: &Engine) -> Digest {
    let mut hasher = ShaHasher(Sha256::new());
    hasher.write(b"borescope-engine-build-v1\0");
    // wasmtime's own description of compiler, flags, features and tunables.
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let ours = format!(
        "{WASMTIME_VERSION} {TARGET} host {HOST_LAYER_VERSION} yield {YIELD_FUEL} start {INSTANTIATION_FUEL} \
         call {HOST_CALL_BYTES_MAX} handles {HANDLES_MAX} stack 2 MiB"
    );
    hasher.write(ours.as_bytes());
    Digest::from_bytes(hasher.0.finalize().into())
}

/// SHA-256 as a `Hasher`, so that wasmtime's description has a stable digest.
struct ShaHasher(Sha256);

impl Hasher for ShaHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    fn finish(&self) -> u64 {
        0
    }
}
