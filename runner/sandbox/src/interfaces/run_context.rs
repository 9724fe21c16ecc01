//! `run-context`: facts about the run, the same in a replay. Always linked.

use domain::Timestamp;
use serde_json::json;
use wasmtime::component::Linker;

use super::{Place, digest_json, record_only, wrap};
use crate::world::{Halt, World};

pub(crate) const INTERFACE: &str = "borescope:debug/run-context";
/// Bytes of one `random-bytes`, as the contract says.
const RANDOM_BYTES_MAX: u32 = 65_536;

fn place(function: &'static str) -> Place {
    Place { interface: INTERFACE, function }
}

pub(crate) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    let mut l = l.instance(&super::versioned(INTERFACE))?;
    let nothing = |(): &()| digest_json(&json!([]));
    wrap(&mut l, place("run-id"), record_only, nothing, |world, (), _| Ok((world.run.clone(),)))?;
    wrap(&mut l, place("started-at"), record_only, nothing, |world, (), _| {
        let seconds = i64::try_from(world.started_at_ms / 1000).unwrap_or(i64::MAX);
        Ok((Timestamp::from_unix_s(seconds).to_string(),))
    })?;
    wrap(&mut l, place("fuel-left"), record_only, nothing, |_, (), fuel| Ok((fuel,)))?;
    wrap(
        &mut l,
        place("random-bytes"),
        record_only,
        |(len,): &(u32,)| digest_json(&json!([len])),
        |world, (len,), _| {
            if len > RANDOM_BYTES_MAX {
                return Err(Halt::Misuse(format!(
                    "random-bytes of {len} bytes; the most is {RANDOM_BYTES_MAX} a call"
                )));
            }
            Ok((world.random.bytes(len as usize),))
        },
    )
}
