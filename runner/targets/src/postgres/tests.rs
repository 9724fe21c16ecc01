//! What needs no server: descriptions, values, parameters. The rest is in the package `tests`,
//! against real servers.

mod params;
mod spec;
mod values;
