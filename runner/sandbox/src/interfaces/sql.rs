//! `sql`: reviewed queries. Linked only when an effective capability names a query; which one is
//! checked where the cursor is made ([`crate::gate`]).

use serde_json::json;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType};

use super::contract::borescope::debug::sql::Page;
use super::wit::{Column, Error, Value};
use super::{Place, digest_json, record_only, rows_out, wrap};
use crate::bridge::{Ask, Bridge, Reply};
use crate::port::CallError;
use crate::recording::{CallResult, Event};
use crate::world::{Halt, World};

pub(crate) const INTERFACE: &str = "borescope:debug/sql";

/// The guest's cursor; dropping it anywhere closes it at the host.
struct Cursor {
    number: u64,
    columns: Vec<Column>,
    bridge: Bridge,
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.bridge.close(self.number);
    }
}

type OpenArgs = (String, Vec<(String, Value)>);

pub(crate) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    let mut l = l.instance(&super::versioned(INTERFACE))?;
    l.resource("cursor", ResourceType::host::<Cursor>(), |mut cx, rep| {
        cx.data_mut().resources.delete(Resource::<Cursor>::new_own(rep))?;
        Ok(())
    })?;
    link_columns(&mut l)?;
    let queries = Place { interface: INTERFACE, function: "queries" };
    let nothing = |(): &()| digest_json(&json!([]));
    wrap(&mut l, queries, record_only, nothing, |world, (), _| Ok((world.queries.clone(),)))?;
    l.func_wrap_async("open", |cx: StoreContextMut<'_, World>, args: OpenArgs| {
        Box::new(async move { Ok((open(cx, args).await?,)) })
    })?;
    l.func_wrap_async(
        "[method]cursor.next",
        |cx: StoreContextMut<'_, World>, args: (Resource<Cursor>, u32)| {
            Box::new(async move { Ok((next(cx, args).await?,)) })
        },
    )
}

/// Begins a call that the loop serves, and records its arguments in full.
fn call(
    cx: &mut StoreContextMut<'_, World>,
    function: &str,
    args: serde_json::Value,
) -> wasmtime::Result<(u64, Event, Bridge)> {
    let fuel_left = cx.get_fuel()?;
    let world = cx.data_mut();
    let seq = world.begin(INTERFACE)?;
    let event = Event::Call {
        seq,
        interface: INTERFACE.to_owned(),
        function: function.to_owned(),
        args,
        fuel_left,
    };
    Ok((seq, event, world.bridge.clone()))
}

async fn open(
    mut cx: StoreContextMut<'_, World>,
    (query, params): OpenArgs,
) -> wasmtime::Result<Result<Resource<Cursor>, Error>> {
    let params: Vec<(String, domain::Value)> =
        params.into_iter().map(|(n, v)| (n, v.into())).collect();
    let (seq, event, bridge) = call(&mut cx, "open", json!({ "query": query, "params": params }))?;
    let reply = bridge.ask(Ask::Open { event, seq, query, params }).await;
    let world = cx.data_mut();
    match result(world, reply)? {
        CallResult::Opened { cursor, columns } => {
            let columns = columns.into_iter().map(Into::into).collect();
            Ok(Ok(world.resources.push(Cursor { number: cursor, columns, bridge })?))
        }
        CallResult::Error(e) => Ok(Err(e.into())),
        CallResult::Page { .. } => {
            Err(Halt::Misuse("the recording gives rows for `open`".to_owned()).into())
        }
    }
}

async fn next(
    mut cx: StoreContextMut<'_, World>,
    (cursor, rows_max): (Resource<Cursor>, u32),
) -> wasmtime::Result<Result<Page, Error>> {
    let number = cx.data().resources.get(&cursor)?.number;
    let args = json!({ "cursor": number, "rows_max": rows_max });
    let (seq, event, bridge) = call(&mut cx, "cursor.next", args)?;
    let reply = bridge.ask(Ask::Next { event, seq, cursor: number, rows_max }).await;
    match result(cx.data_mut(), reply)? {
        CallResult::Page { rows, done } => Ok(Ok(Page { rows: rows_out(rows), done })),
        CallResult::Error(e) => Ok(Err(e.into())),
        CallResult::Opened { .. } => {
            Err(Halt::Misuse("the recording gives a cursor for `next`".to_owned()).into())
        }
    }
}

/// Takes the call's result, and notes a limit that it names.
fn result(world: &mut World, reply: Reply) -> Result<CallResult, Halt> {
    let Reply::Call(result) = reply else {
        return Err(Halt::Misuse("the recording has no result for this call".to_owned()));
    };
    if let CallResult::Error(CallError::Limit(limit)) = &result {
        world.limits_hit.insert(*limit);
    }
    Ok(result)
}

fn link_columns(l: &mut LinkerInstance<'_, World>) -> wasmtime::Result<()> {
    l.func_wrap_async(
        "[method]cursor.columns",
        |mut cx: StoreContextMut<'_, World>, (cursor,): (Resource<Cursor>,)| {
            Box::new(async move {
                let fuel = cx.get_fuel()?;
                let world = cx.data_mut();
                let seq = world.begin(INTERFACE)?;
                let (number, columns) = {
                    let cursor = world.resources.get(&cursor)?;
                    (cursor.number, cursor.columns.clone())
                };
                let place = Place { interface: INTERFACE, function: "cursor.columns" };
                let event = World::local_event(
                    seq,
                    place.interface,
                    place.function,
                    digest_json(&json!([number])),
                    fuel,
                );
                let bridge = world.bridge.clone();
                bridge.ask(Ask::Local { event }).await;
                Ok((columns,))
            })
        },
    )
}

impl From<CallError> for Error {
    fn from(e: CallError) -> Self {
        match e {
            CallError::Denied(why) => Self::Denied(why),
            CallError::Limit(limit) => Self::Limit(limit.code().to_owned()),
            CallError::Timeout => Self::Timeout,
            CallError::Invalid(why) => Self::Invalid(why),
            CallError::Backend(code) => Self::Backend(code),
        }
    }
}
