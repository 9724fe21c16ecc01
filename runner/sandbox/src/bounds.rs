//! The figures behind the names of limits, for whoever shows or checks them.
//!
//! A run's own limits are in its capabilities; the others are constants of the sandbox, each next to
//! the code that enforces it. Nothing is enforced here.

use domain::{LimitName, Limits};

use crate::engine::{HANDLES_MAX, HOST_CALL_BYTES_MAX, INSTANTIATION_FUEL, STACK_BYTES_MAX};
use crate::limiter::TABLE_ELEMENTS_MAX;

pub use crate::engine::OWN_HANDLES_MAX;
pub use crate::world::{LOG_BYTES_MAX, STDERR_BYTES_MAX, STDOUT_BYTES_MAX};

/// What the limit of this name allows in a run with `limits`.
///
/// `None` where the sandbox has no figure: a query's limits are each query's own, and the limits of a
/// statement's time and of the recording belong to who implements [`crate::Host`]. Of handles, this is
/// the host's number; resources that a component defines itself have [`OWN_HANDLES_MAX`].
#[must_use]
pub const fn of(name: LimitName, limits: &Limits) -> Option<u64> {
    Some(match name {
        LimitName::Fuel => limits.fuel_max,
        LimitName::Memory => limits.memory_bytes_max,
        LimitName::Wall => limits.wall_ms_max,
        LimitName::Output => limits.output_bytes_max,
        LimitName::HostCalls => limits.host_calls_max,
        LimitName::InstantiationFuel => INSTANTIATION_FUEL,
        LimitName::Handles => HANDLES_MAX as u64,
        LimitName::Stack => STACK_BYTES_MAX as u64,
        LimitName::TableElements => TABLE_ELEMENTS_MAX as u64,
        LimitName::CallBytes => HOST_CALL_BYTES_MAX as u64,
        LimitName::QueryCalls
        | LimitName::QueryRows
        | LimitName::QueryBytes
        | LimitName::StatementTime
        | LimitName::Recording => return None,
    })
}
