//! `wasi:cli` streams and exit. Output is captured up to a cap; what is above is dropped and
//! counted, and the guest does not notice, so that logging too much does not end a script.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult,
};

use super::versioned;
use crate::world::{Halt, SharedCapture, World};

/// Bytes of one write; more would make the host work too long between two yields.
const WRITE_BYTES_MAX: usize = 4096;

pub(super) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    l.instance(&versioned("wasi:cli/stdin"))?.func_wrap(
        "get-stdin",
        |mut cx: StoreContextMut<'_, World>, (): ()| {
            let stream: DynInputStream = Box::new(Closed);
            Ok((cx.data_mut().resources.push(stream)?,))
        },
    )?;
    l.instance(&versioned("wasi:cli/stdout"))?.func_wrap(
        "get-stdout",
        |mut cx: StoreContextMut<'_, World>, (): ()| {
            let to = Arc::clone(&cx.data().stdout);
            Ok((stream(cx.data_mut(), to)?,))
        },
    )?;
    l.instance(&versioned("wasi:cli/stderr"))?.func_wrap(
        "get-stderr",
        |mut cx: StoreContextMut<'_, World>, (): ()| {
            let to = Arc::clone(&cx.data().stderr);
            Ok((stream(cx.data_mut(), to)?,))
        },
    )?;
    let mut exit = l.instance(&versioned("wasi:cli/exit"))?;
    exit.func_wrap("exit", |_: StoreContextMut<'_, World>, (status,): (Result<(), ()>,)| {
        Err::<(), _>(Halt::Exit(u8::from(status.is_err())).into())
    })?;
    exit.func_wrap("exit-with-code", |_: StoreContextMut<'_, World>, (code,): (u8,)| {
        Err::<(), _>(Halt::Exit(code).into())
    })
}

fn stream(world: &mut World, to: SharedCapture) -> wasmtime::Result<Resource<DynOutputStream>> {
    let stream: DynOutputStream = Box::new(Capturing(to));
    Ok(world.resources.push(stream)?)
}

/// Standard input: at its end from the start.
struct Closed;

#[async_trait::async_trait]
impl Pollable for Closed {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl InputStream for Closed {
    fn read(&mut self, _: usize) -> StreamResult<Bytes> {
        Err(StreamError::Closed)
    }
}

/// An end of a captured stream.
struct Capturing(SharedCapture);

#[async_trait::async_trait]
impl Pollable for Capturing {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Capturing {
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_BYTES_MAX {
            return Err(StreamError::trap("a write is longer than check-write allowed"));
        }
        let mut capture = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keep = bytes.len().min(capture.cap - capture.kept.bytes.len());
        capture.kept.bytes.extend_from_slice(&bytes[..keep]);
        capture.kept.dropped += (bytes.len() - keep) as u64;
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}
