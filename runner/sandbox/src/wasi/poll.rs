//! `wasi:io/poll#poll`, over wasmtime's own: a list is work of the host, which fuel does not count.
//!
//! A loop that polls a long list costs the guest a few instructions and the host as long as it likes;
//! so the list has a length, and its entries make the guest yield, where stops and the wall time are
//! looked at.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_io::bindings::wasi::io::poll::Host as _;
use wasmtime_wasi_io::poll::DynPollable;

use super::{versioned, work, yield_once};
use crate::engine::HANDLES_MAX;
use crate::world::{Halt, World};
use domain::LimitName;

/// Work that an entry stands for, as bytes: about a microsecond.
const ENTRY_BYTES: usize = 256;

pub(super) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    // Only this function is defined a second time.
    l.allow_shadowing(true);
    l.instance(&versioned("wasi:io/poll"))?.func_wrap_async(
        "poll",
        |mut cx: StoreContextMut<'_, World>, (list,): (Vec<Resource<DynPollable>>,)| {
            Box::new(async move {
                if list.len() > HANDLES_MAX {
                    return Err(Halt::Limit(LimitName::Handles).into());
                }
                if work(cx.data_mut(), list.len() * ENTRY_BYTES) {
                    yield_once().await;
                }
                Ok((cx.data_mut().resources.poll(list).await?,))
            })
        },
    )?;
    l.allow_shadowing(false);
    Ok(())
}
