//! Link, instantiate, call, tear down: all that a run's sandbox costs besides the run, against bare
//! wasmtime with the same component. Both have the component compiled and its imports resolved
//! before; bare wasmtime has traps in place of our host functions, no limits and no fuel yields.

use std::sync::Arc;

use domain::{Outcome, RunId};
use executor::{OsEntropy, SystemClock};
use sandbox::{Cancel, Plan};
use tests::company::{pairs, scope};
use tokio::runtime::Runtime;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use super::Scale;
use super::bed::{Meter, sandbox};
use super::host_call::Deaf;
use super::stats::{Goal, Row, Unit, alternate, seconds};

/// An input with nothing to do.
const NOTHING: &str = "{}";

/// A plan of a run of `meter`.
pub(super) fn plan(meter: &Meter, input: &str) -> Plan {
    let effective = scope(&meter.manifest).capabilities().unwrap();
    assert_eq!(pairs(&meter.manifest).len(), 1);
    Plan {
        run: RunId::new(&SystemClock, &OsEntropy),
        revision: meter.revision,
        manifest: Arc::clone(&meter.manifest),
        effective,
        input: input.as_bytes().to_vec(),
        started_at_ms: 1_795_464_000_000,
        seed: [3; 32],
    }
}

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let meter = Meter::of(domain::manifest::Engine::Sqlite);
    let sandbox = sandbox();
    let admitted = rt.block_on(sandbox.admit(Arc::clone(&meter.component))).unwrap();
    let plan = plan(&meter, NOTHING);
    let (engine, bare) = bare(&meter.component);
    let batch = scale.pick(200, 1);
    let ours = || {
        let work = async {
            for _ in 0..batch {
                let linked = sandbox.link(&admitted, &plan.effective).unwrap();
                let (mut host, cancel) = (Deaf, Cancel::new());
                let finished = sandbox.run(&linked, plan.clone(), &mut host, &cancel).await;
                assert_eq!(finished.outcome, Outcome::Succeeded);
            }
        };
        seconds(|| rt.block_on(work)) / f64::from(batch)
    };
    let plain =
        || seconds(|| (0..batch).for_each(|_| call_bare(&engine, &bare))) / f64::from(batch);
    let (ours, plain) = alternate(scale, 50, ours, plain);
    let what = "link, instantiate, call and tear down";
    vec![Row::pair(what, Unit::Seconds, ours, ("bare wasmtime", plain)).goal(Goal::AtMost(50e-6))]
}

/// The same component without anything of ours.
fn bare(component: &[u8]) -> (Engine, InstancePre<()>) {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(4).total_core_instances(100).total_memories(4);
    pool.total_tables(16).max_memory_size(64 << 20).total_stacks(4);
    let mut config = Config::new();
    config.consume_fuel(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).unwrap();
    let component = Component::new(&engine, component).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let bare = linker.instantiate_pre(&component).unwrap();
    (engine, bare)
}

fn call_bare(engine: &Engine, bare: &InstancePre<()>) {
    let mut store = Store::new(engine, ());
    store.set_fuel(u64::MAX / 2).unwrap();
    let instance = bare.instantiate(&mut store).unwrap();
    let run =
        instance.get_typed_func::<(&str,), (Result<String, String>,)>(&mut store, "run").unwrap();
    let (returned,) = run.call(&mut store, (NOTHING,)).unwrap();
    assert!(returned.is_ok());
}
