//! `wasi:clocks`: a wall clock that stands still, and a monotonic clock that moves only when it is
//! read or slept on. A sleep ends at once and moves the clock to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower, Resource};
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use super::versioned;
use crate::world::World;

/// Nanoseconds that a reading takes, so that a loop which waits for time to pass ends.
const TICK_NS: u64 = 1_000;

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

pub(super) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    let mut wall = l.instance(&versioned("wasi:clocks/wall-clock"))?;
    wall.func_wrap("now", |cx: StoreContextMut<'_, World>, (): ()| {
        let ms = cx.data().started_at_ms;
        let nanoseconds = u32::try_from(ms % 1000).unwrap_or_default() * 1_000_000;
        Ok((Datetime { seconds: ms / 1000, nanoseconds },))
    })?;
    wall.func_wrap("resolution", |_: StoreContextMut<'_, World>, (): ()| {
        Ok((Datetime { seconds: 0, nanoseconds: 1_000_000 },))
    })?;

    let mut monotonic = l.instance(&versioned("wasi:clocks/monotonic-clock"))?;
    monotonic.func_wrap("now", |cx: StoreContextMut<'_, World>, (): ()| {
        Ok((cx.data().monotonic_ns.fetch_add(TICK_NS, Ordering::Relaxed),))
    })?;
    monotonic.func_wrap("resolution", |_: StoreContextMut<'_, World>, (): ()| Ok((TICK_NS,)))?;
    monotonic
        .func_wrap("subscribe-instant", |mut cx: StoreContextMut<'_, World>, (when,): (u64,)| {
            Ok((sleep(cx.data_mut(), when)?,))
        })?;
    monotonic.func_wrap(
        "subscribe-duration",
        |mut cx: StoreContextMut<'_, World>, (ns,): (u64,)| {
            let now = cx.data().monotonic_ns.load(Ordering::Relaxed);
            Ok((sleep(cx.data_mut(), now.saturating_add(ns))?,))
        },
    )
}

/// A sleep until `until_ns`. Asking whether it is over ends it.
struct Sleep {
    until_ns: u64,
    clock: Arc<AtomicU64>,
}

#[async_trait::async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        self.clock.fetch_max(self.until_ns, Ordering::Relaxed);
    }
}

fn sleep(world: &mut World, until_ns: u64) -> wasmtime::Result<Resource<DynPollable>> {
    let clock = Arc::clone(&world.monotonic_ns);
    let sleep = world.resources.push(Sleep { until_ns, clock })?;
    subscribe(&mut world.resources, sleep)
}
