//! PostgreSQL targets: hot standbys, read by a login role of their own.
//!
//! [`gate`] decides which statements may be sent, and as which text.

pub mod gate;
mod spec;

pub use spec::{Access, Host, Identity, Password, PostgresSpec, Relation, Tls};
