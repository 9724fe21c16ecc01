//! The HTTP API through a real server on a loopback port.

mod audit;
mod authority;
mod description;
mod guarding;
mod idempotency;
mod quotas;
mod sessions;
mod streams;
mod tls;
