//! A run from start to end: instantiate with its own fuel, call `run`, conclude, record the end.

use std::sync::Arc;
use std::time::Duration;

use domain::{Capabilities, Digest, Manifest, Outcome, RunId};
use tokio::time::Instant;
use wasmtime::Store;

use crate::bridge::Bridge;
use crate::cancel::Cancel;
use crate::drive::{Driver, Ending, Stops, drive};
use crate::engine::{
    HOST_CALL_BYTES_MAX, INSTANTIATION_FUEL, OWN_HANDLES_MAX, Sandbox, YIELD_FUEL,
};
use crate::finish::Finished;
use crate::gate::Gate;
use crate::link::Linked;
use crate::live::Live;
use crate::port::{Host, HostFault};
use crate::recording::{Event, Header, StopPoint};
use crate::world::{Halt, World};

/// What is to be run. All that a guest's behaviour depends on, besides its component and the results
/// of its calls.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The run.
    pub run: RunId,
    /// The revision.
    pub revision: Digest,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// What it may do, with the limits of the run.
    pub effective: Capabilities,
    /// The input, byte for byte as it was approved; UTF-8.
    pub input: Vec<u8>,
    /// Milliseconds since the Unix epoch; the guest's clock stands there.
    pub started_at_ms: u64,
    /// The seed of the guest's randomness; fresh for each run.
    pub seed: [u8; 32],
}

impl Plan {
    pub(crate) fn header(&self, component: Digest, engine_build: Digest) -> Header {
        Header {
            run: self.run.clone(),
            revision: self.revision,
            component,
            engine_build,
            started_at_ms: self.started_at_ms,
            seed: self.seed.to_vec(),
            effective: self.effective.scope(),
            input: self.input.clone(),
        }
    }
}

/// What the guest gave: wasmtime's error, or what `run` returned.
pub(crate) type Returned = wasmtime::Result<Result<String, String>>;

/// A run that is over, before anybody says what it means.
pub(crate) struct Executed<B> {
    pub(crate) ending: Ending<Returned, B>,
    pub(crate) world: World,
    /// Fuel since instantiation.
    pub(crate) fuel_used: u64,
    /// Fuel of instantiation.
    pub(crate) fuel_init: u64,
}

impl Sandbox {
    /// Runs a linked component. Waits while `concurrent_runs_max` others run; wall time counts from
    /// then. Every event goes to `host` in order. Whatever happens inside is an outcome, not an
    /// error. The caller makes the recording durable before anything of [`Finished`] leaves.
    pub async fn run(
        &self,
        linked: &Linked,
        plan: Plan,
        host: &mut dyn Host,
        cancel: &Cancel,
    ) -> Finished {
        // The semaphore is never closed, so waiting does not fail.
        let _permit = self.runs.acquire().await;
        let started = Instant::now();
        let header = plan.header(linked.admitted.facts.digest, self.build);
        if let Err(fault) = host.record(&Event::Header(Box::new(header))) {
            return Finished::unrecorded(&fault);
        }
        let input = domain::schema::parse_json(&plan.input).ok();
        let gate = Gate::new(Arc::clone(&plan.manifest), plan.effective.clone(), input);
        let mut live = Live { host, gate };
        let wall = Duration::from_millis(plan.effective.limits.wall_ms_max);
        let mut stops = Stops::live(cancel, started + wall);
        let mut executed = self.execute(linked, &plan, &mut live, &mut stops).await;
        if let Ending::Broken { broken: HostFault::Limit(limit), at } = executed.ending {
            let outcome = Some(Outcome::LimitExceeded { limit });
            executed.ending = Ending::Stopped { outcome, at, ask: None };
        }
        live.close_all();
        let mut finished = Finished::conclude(executed, None, |fault: HostFault| fault.to_string());
        if finished.recording_failed.is_none() {
            for event in finished.tail() {
                if let Err(fault) = live.host.record(&event) {
                    finished.lose(&fault);
                    break;
                }
            }
        }
        finished.wall_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        finished
    }

    /// Instantiates and calls `run`, served by `driver`, until an end or one of `stops`. The store is
    /// thrown away in any case.
    pub(crate) async fn execute<D: Driver>(
        &self,
        linked: &Linked,
        plan: &Plan,
        driver: &mut D,
        stops: &mut Stops,
    ) -> Executed<D::Broken> {
        let bridge = Bridge::default();
        let mut store = Store::new(&self.engine, World::new(plan, bridge.clone()));
        let (mut fuel_init, mut fuel_used) = (0, 0);
        let ending = match prepare(&mut store) {
            Err(e) => Ending::Guest(Err(e)),
            Ok(()) => {
                let instance = linked.prepared.instantiate_async(&mut store);
                let instantiated = drive(instance, &bridge, driver, stops, true).await;
                fuel_init = INSTANTIATION_FUEL.saturating_sub(store.get_fuel().unwrap_or_default());
                match instantiated {
                    Ending::Stopped { outcome, at, ask } => Ending::Stopped { outcome, at, ask },
                    Ending::Broken { broken, at } => Ending::Broken { broken, at },
                    Ending::Guest(Err(e)) => Ending::Guest(Err(e)),
                    // Whether instantiation yields depends on the machine; the guest made no call.
                    Ending::Guest(Ok(_)) if stops.is_at(StopPoint::Instantiation) => {
                        Ending::Stopped { outcome: None, at: StopPoint::Instantiation, ask: None }
                    }
                    Ending::Guest(Ok(instance)) => {
                        let budget = plan.effective.limits.fuel_max;
                        store.data_mut().running = true;
                        let ending = match store.set_fuel(budget) {
                            Err(e) => Ending::Guest(Err(e)),
                            Ok(()) => {
                                drive(
                                    call_run(&mut store, &instance, &plan.input),
                                    &bridge,
                                    driver,
                                    stops,
                                    false,
                                )
                                .await
                            }
                        };
                        fuel_used = budget.saturating_sub(store.get_fuel().unwrap_or_default());
                        ending
                    }
                }
            }
        };
        Executed { ending, world: store.into_data(), fuel_used, fuel_init }
    }
}

fn prepare(store: &mut Store<World>) -> wasmtime::Result<()> {
    store.limiter(|world| &mut world.quota);
    store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
    store.set_max_component_handles(OWN_HANDLES_MAX);
    store.set_fuel(INSTANTIATION_FUEL)?;
    store.fuel_async_yield_interval(Some(YIELD_FUEL))
}

async fn call_run(
    store: &mut Store<World>,
    instance: &wasmtime::component::Instance,
    input: &[u8],
) -> Returned {
    let input = std::str::from_utf8(input)
        .map_err(|_| Halt::Misuse("the input is not UTF-8".to_owned()))?;
    let run = instance.get_typed_func::<(&str,), (Result<String, String>,)>(&mut *store, "run")?;
    let (result,) = run.call_async(&mut *store, (input,)).await?;
    Ok(result)
}
