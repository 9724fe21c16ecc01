//! The HTTP API through a real server on a loopback port.

mod description;
mod guarding;
mod streams;
