//! `log`: lines for the recording and for whoever reads the run. Always linked.

use serde_json::json;
use wasmtime::component::Linker;

use super::contract::borescope::debug::log::Level;
use super::{Place, digest_json, wrap};
use crate::bridge::Ask;
use crate::recording::{Event, LogLine};
use crate::world::World;

pub(crate) const INTERFACE: &str = "borescope:debug/log";

type Emit = (Level, String);

pub(crate) fn link(l: &mut Linker<World>) -> wasmtime::Result<()> {
    let mut l = l.instance(&super::versioned(INTERFACE))?;
    let place = Place { interface: INTERFACE, function: "emit" };
    wrap(
        &mut l,
        place,
        |world, mut event, args: &Emit| {
            let kept = world
                .keep_line(LogLine { level: level(args.0).to_owned(), message: args.1.clone() });
            if let Event::Local { line, .. } = &mut event {
                *line = kept;
            }
            Ok(Ask::Local { event })
        },
        |(l, message)| digest_json(&json!([level(*l), message])),
        |_, _, _| Ok(()),
    )
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}
