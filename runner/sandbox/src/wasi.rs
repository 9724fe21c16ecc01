//! An empty, deterministic WASI 0.2 world: what language runtimes drag in, and nothing behind it.
//!
//! No files, sockets, environment, arguments, terminals; standard input is closed; output is
//! captured; the wall clock stands at the run's start; sleeping skips; randomness is seeded. Only the
//! stream, error and poll resources are wasmtime's own (`wasmtime-wasi-io`), over streams of ours.
//! No call here is recorded or counted: all of it follows from the run's header. Which interfaces may
//! be imported at all is in [`crate::inspect`].

mod clocks;
mod empty;
mod poll;
mod random;
mod stdio;

use std::future::poll_fn;
use std::task::Poll;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi_io::bindings::wasi::io;

use crate::world::World;

pub(crate) use empty::link as link_empty;

/// The version under which the interfaces are defined; a component's 0.2 version matches it.
const VERSION: &str = "0.2.12";
/// Bytes that host functions may produce before the guest yields: about 3 ms.
const WORK_BYTES: usize = 1 << 20;

struct HasIo;

impl HasData for HasIo {
    type Data<'a> = &'a mut ResourceTable;
}

/// Defines what every component gets the same.
pub(crate) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<World, HasIo>(l, |w| &mut w.resources)?;
    io::poll::add_to_linker::<World, HasIo>(l, |w| &mut w.resources)?;
    poll::link(l)?;
    io::streams::add_to_linker::<World, HasIo>(l, |w| &mut w.resources)?;
    stdio::link(l)?;
    clocks::link(l)?;
    random::link(l)
}

fn versioned(interface: &str) -> String {
    format!("{interface}@{VERSION}")
}

/// Whether so much host work has piled up that the guest must yield.
fn work(world: &mut World, bytes: usize) -> bool {
    world.work += bytes;
    let due = world.work >= WORK_BYTES;
    if due {
        world.work = 0;
    }
    due
}

/// Suspends the guest once; the loop counts it as a yield and resumes it.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(
        |_| {
            if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
        },
    )
    .await;
}
