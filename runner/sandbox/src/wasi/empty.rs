//! WASI interfaces with nothing behind them: environment, terminals, files, sockets.
//!
//! Their functions are answered by result type: an empty list, none, `access-denied`. Only interfaces
//! that admission allowed and that are listed here are defined this way, each under the name that the
//! component imports; this is not a stub for whatever is unknown.

use wasmtime::StoreContextMut;
use wasmtime::component::types::{ComponentItem, Type};
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceType, Val};
use wasmtime_wasi_io::poll::DynPollable;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream, Error};

use super::{work, yield_once};
use crate::inspect::without_version;
use crate::world::{Halt, World};

/// Work that a call stands for, as bytes: its arguments and results are built one by one.
const CALL_BYTES: usize = 1024;

const EMPTY: [&str; 15] = [
    "wasi:cli/environment",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:filesystem/types",
    "wasi:filesystem/preopens",
    "wasi:sockets/network",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// The one type of all resources here. None stands for anything.
struct Nothing;

/// Defines those of the component's imports that are empty.
pub(crate) fn link(l: &mut Linker<World>, component: &Component) -> wasmtime::Result<()> {
    let engine = l.engine().clone();
    for (name, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else {
            continue;
        };
        if !EMPTY.contains(&without_version(name)) {
            continue;
        }
        let mut l = l.instance(name)?;
        for (export, item) in instance.exports(&engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => function(&mut l, name, export)?,
                ComponentItem::Resource(_) => resource(&mut l, export)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn resource(l: &mut LinkerInstance<'_, World>, name: &str) -> wasmtime::Result<()> {
    // Those that come from wasi:io are used here under the same name.
    let ty = match name {
        "pollable" => ResourceType::host::<DynPollable>(),
        "input-stream" => ResourceType::host::<DynInputStream>(),
        "output-stream" => ResourceType::host::<DynOutputStream>(),
        "error" => ResourceType::host::<Error>(),
        _ => ResourceType::host::<Nothing>(),
    };
    l.resource(name, ty, |_, _| Ok(()))
}

fn function(
    l: &mut LinkerInstance<'_, World>,
    interface: &str,
    function: &str,
) -> wasmtime::Result<()> {
    let name = format!("{interface}#{function}");
    l.func_new_async(function, move |mut cx: StoreContextMut<'_, World>, ty, params, results| {
        let name = name.clone();
        Box::new(async move {
            if work(cx.data_mut(), CALL_BYTES) {
                yield_once().await;
            }
            if let (Some(slot), Some(result)) = (results.first_mut(), ty.results().next()) {
                *slot = answer(&mut cx, &result).ok_or_else(|| nothing_behind(&name))??;
            } else {
                return Err(nothing_behind(&name).into());
            }
            for param in params {
                if let Val::Resource(handle) = param {
                    handle.resource_drop_async(&mut cx).await?;
                }
            }
            Ok(())
        })
    })
}

fn nothing_behind(name: &str) -> Halt {
    Halt::Misuse(format!("{name} is called on a resource that cannot exist here"))
}

/// The empty value of a type; `None` if it has none.
fn answer(cx: &mut StoreContextMut<'_, World>, ty: &Type) -> Option<wasmtime::Result<Val>> {
    Some(Ok(match ty {
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Result(result) => {
            let Some(Type::Enum(codes)) = result.err() else {
                return None;
            };
            let code = codes.names().find(|n| matches!(*n, "access-denied" | "access"))?;
            Val::Result(Err(Some(Box::new(Val::Enum(code.to_owned())))))
        }
        // Only `instance-network`: a network over which everything is denied.
        Type::Own(_) => {
            return Some(
                Resource::<Nothing>::new_own(0).try_into_resource_any(cx).map(Val::Resource),
            );
        }
        _ => return None,
    }))
}
