//! `wasi:random`: bytes from the run's seed ([`crate::random`]).

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, LinkerInstance};

use super::{versioned, work, yield_once};
use crate::random::Stream;
use crate::world::{Halt, World};

/// Bytes of one request.
const BYTES_MAX: u64 = 65_536;

pub(super) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    let mut secure = l.instance(&versioned("wasi:random/random"))?;
    bytes(&mut secure, "get-random-bytes", |w| &mut w.random)?;
    secure.func_wrap("get-random-u64", |mut cx: StoreContextMut<'_, World>, (): ()| {
        Ok((cx.data_mut().random.number(),))
    })?;
    let mut insecure = l.instance(&versioned("wasi:random/insecure"))?;
    bytes(&mut insecure, "get-insecure-random-bytes", |w| &mut w.insecure)?;
    insecure
        .func_wrap("get-insecure-random-u64", |mut cx: StoreContextMut<'_, World>, (): ()| {
            Ok((cx.data_mut().insecure.number(),))
        })?;
    let mut seed = l.instance(&versioned("wasi:random/insecure-seed"))?;
    seed.func_wrap("insecure-seed", |mut cx: StoreContextMut<'_, World>, (): ()| {
        let stream = &mut cx.data_mut().insecure;
        Ok(((stream.number(), stream.number()),))
    })
}

fn bytes(
    l: &mut LinkerInstance<'_, World>,
    function: &'static str,
    stream: fn(&mut World) -> &mut Stream,
) -> wasmtime::Result<()> {
    l.func_wrap_async(function, move |mut cx: StoreContextMut<'_, World>, (len,): (u64,)| {
        Box::new(async move {
            let count =
                usize::try_from(len).ok().filter(|_| len <= BYTES_MAX).ok_or_else(|| {
                    Halt::Misuse(format!(
                        "{function} of {len} bytes; the most is {BYTES_MAX} a call"
                    ))
                })?;
            if work(cx.data_mut(), count) {
                yield_once().await;
            }
            Ok((stream(cx.data_mut()).bytes(count),))
        })
    })
}
