//! The HTTP API through a real server on a loopback port.

mod adoption;
mod audit;
mod authority;
mod claims;
mod description;
mod emergencies;
mod guarding;
mod idempotency;
mod quotas;
mod sessions;
mod strangers;
mod streams;
mod succession;
mod tls;
