//! The HTTP API `/v1` as types: requests, responses, problems, and the client.
//!
//! Server, command line and tests share it, so that a change of the API is a compile error in all of
//! them. What this is *not*: the server (crate `server`), or the signed documents (crate `trust`);
//! envelopes pass through as the JSON text that came ([`Envelope`]), byte for byte.

mod client;
mod code;
mod events;
mod origin;
mod problem;
mod retry;
pub mod shapes;
mod silence;
mod tls;
pub mod types;

pub use client::{Client, ClientConfig, ClientError};
pub use code::Code;
pub use events::RunEvents;
pub use origin::{Origin, OriginError};
pub use problem::Problem;
pub use retry::Attendant;
pub use silence::{How, Silence};
pub use tls::{Authorities, AuthoritiesError, CertificateFault};
pub use types::Envelope;

/// Header with the key of an idempotent call.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The media type of [`Problem`] (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

#[cfg(test)]
mod tests;
