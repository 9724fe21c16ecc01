//! The host contract: one small file an interface, all over the one wrapper in this file.
//!
//! The types are generated from the contract itself (`sdk/wit`), so a change there does not compile
//! until it is answered here. WASI is not here; see [`crate::wasi`].

pub(crate) mod log;
pub(crate) mod output;
pub(crate) mod run_context;
pub(crate) mod sql;

use domain::Digest;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, Lift, LinkerInstance, Lower};

use crate::bridge::Ask;
use crate::recording::Event;
use crate::world::{Halt, World};

/// Generated from `sdk/wit`.
pub(crate) mod contract {
    wasmtime::component::bindgen!({ path: "../../sdk/wit", world: "script" });
}

pub(crate) use contract::borescope::debug::types as wit;

/// An interface's name with the version of the contract.
pub(crate) fn versioned(interface: &str) -> String {
    format!("{interface}@{}", crate::inspect::DEBUG_VERSION)
}

/// Where a function is.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) interface: &'static str,
    pub(crate) function: &'static str,
}

/// The one wrapper around functions whose result follows from the run's facts: count, fuel, record,
/// then `run` with the fuel that is left. `ask` turns the event into what the loop shall do.
pub(crate) fn wrap<P, R>(
    l: &mut LinkerInstance<'_, World>,
    place: Place,
    ask: fn(&mut World, Event, &P) -> Result<Ask, Halt>,
    digest: fn(&P) -> Digest,
    run: fn(&mut World, P, u64) -> Result<R, Halt>,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + Sync + 'static,
    R: ComponentNamedList + Lower + Send + Sync + 'static,
{
    l.func_wrap_async(place.function, move |mut cx: StoreContextMut<'_, World>, params: P| {
        Box::new(async move {
            let fuel = cx.get_fuel()?;
            let world = cx.data_mut();
            let seq = world.begin(place.interface)?;
            let event =
                World::local_event(seq, place.interface, place.function, digest(&params), fuel);
            let ask = ask(world, event, &params)?;
            let bridge = world.bridge.clone();
            bridge.ask(ask).await;
            Ok(run(cx.data_mut(), params, fuel)?)
        })
    })
}

/// For functions that are only recorded.
#[expect(clippy::unnecessary_wraps, reason = "the shape that `wrap` takes")]
pub(crate) fn record_only<P>(_: &mut World, event: Event, _: &P) -> Result<Ask, Halt> {
    Ok(Ask::Local { event })
}

/// The digest of arguments in their canonical form: their JSON.
pub(crate) fn digest_json(args: &serde_json::Value) -> Digest {
    Digest::of(args.to_string().as_bytes())
}

impl From<wit::Value> for domain::Value {
    fn from(v: wit::Value) -> Self {
        match v {
            wit::Value::Null => Self::Null,
            wit::Value::Boolean(x) => Self::Boolean(x),
            wit::Value::Int64(x) => Self::Int64(x),
            wit::Value::Float64(x) => Self::Float64(x),
            wit::Value::Decimal(x) => Self::Decimal(x),
            wit::Value::Text(x) => Self::Text(x),
            wit::Value::Bytes(x) => Self::Bytes(x),
            wit::Value::Uuid(x) => Self::Uuid(x),
            wit::Value::Timestamp(x) => Self::Timestamp(x),
            wit::Value::Temporal(x) => Self::Temporal(x),
            wit::Value::Json(x) => Self::Json(x),
            wit::Value::Other((t, x)) => Self::Other(t, x),
        }
    }
}

impl From<domain::Value> for wit::Value {
    fn from(v: domain::Value) -> Self {
        use domain::Value as V;
        match v {
            V::Null => Self::Null,
            V::Boolean(x) => Self::Boolean(x),
            V::Int64(x) => Self::Int64(x),
            V::Float64(x) => Self::Float64(x),
            V::Decimal(x) => Self::Decimal(x),
            V::Text(x) => Self::Text(x),
            V::Bytes(x) => Self::Bytes(x),
            V::Uuid(x) => Self::Uuid(x),
            V::Timestamp(x) => Self::Timestamp(x),
            V::Temporal(x) => Self::Temporal(x),
            V::Json(x) => Self::Json(x),
            V::Other(t, x) => Self::Other((t, x)),
        }
    }
}

impl From<wit::Column> for domain::Column {
    fn from(c: wit::Column) -> Self {
        Self { name: c.name, db_type: c.type_name }
    }
}

impl From<domain::Column> for wit::Column {
    fn from(c: domain::Column) -> Self {
        Self { name: c.name, type_name: c.db_type }
    }
}

pub(crate) fn rows_in(rows: Vec<Vec<wit::Value>>) -> Vec<Vec<domain::Value>> {
    rows.into_iter().map(|r| r.into_iter().map(Into::into).collect()).collect()
}

pub(crate) fn rows_out(rows: Vec<Vec<domain::Value>>) -> Vec<Vec<wit::Value>> {
    rows.into_iter().map(|r| r.into_iter().map(Into::into).collect()).collect()
}
