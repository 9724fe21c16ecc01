//! `wasi:random`: bytes from the run's seed ([`crate::random`]).

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, Linker, LinkerInstance, Lower};

use super::{versioned, work, yield_once};
use crate::random::Stream;
use crate::world::{Halt, World};

/// Bytes of one request.
const BYTES_MAX: u64 = 65_536;
/// Work that a call for one number stands for, as bytes.
const NUMBER_BYTES: usize = 256;

pub(super) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    let mut secure = l.instance(&versioned("wasi:random/random"))?;
    bytes(&mut secure, "get-random-bytes", |w| &mut w.random)?;
    number(&mut secure, "get-random-u64", |w| (w.random.number(),))?;
    let mut insecure = l.instance(&versioned("wasi:random/insecure"))?;
    bytes(&mut insecure, "get-insecure-random-bytes", |w| &mut w.insecure)?;
    number(&mut insecure, "get-insecure-random-u64", |w| (w.insecure.number(),))?;
    let mut seed = l.instance(&versioned("wasi:random/insecure-seed"))?;
    number(&mut seed, "insecure-seed", |w| ((w.insecure.number(), w.insecure.number()),))
}

fn number<R>(
    l: &mut LinkerInstance<'_, World>,
    function: &'static str,
    draw: fn(&mut World) -> R,
) -> wasmtime::Result<()>
where
    R: ComponentNamedList + Lower + Send + Sync + 'static,
{
    l.func_wrap_async(function, move |mut cx: StoreContextMut<'_, World>, (): ()| {
        Box::new(async move {
            if work(cx.data_mut(), NUMBER_BYTES) {
                yield_once().await;
            }
            Ok(draw(cx.data_mut()))
        })
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
            if work(cx.data_mut(), count + NUMBER_BYTES) {
                yield_once().await;
            }
            Ok((stream(cx.data_mut()).bytes(count),))
        })
    })
}
