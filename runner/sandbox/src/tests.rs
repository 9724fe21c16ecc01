//! Hostile and honest guests against the whole sandbox, through a host made for the purpose.

mod admission;
mod determinism;
mod guests;
mod host;
mod limits;
mod recording;
mod replaying;
mod sql;
mod wasi;
