//! Calls the cheapest host function until the number of calls ends the run.

use borescope::{Error, Result, run_context};

/// Above any limit of host calls.
const CALLS: u64 = 200_000;

#[borescope::script]
fn run() -> Result<u64> {
    let mut least = u64::MAX;
    for _ in 0..CALLS {
        least = least.min(run_context::fuel_left());
    }
    Err(Error::script(format!(
        "nobody stopped {CALLS} calls; fuel went down to {least}"
    )))
}
