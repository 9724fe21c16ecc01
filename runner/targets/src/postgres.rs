//! PostgreSQL targets: hot standbys, read by a login role of their own.

mod spec;

pub use spec::{Access, Host, Identity, Password, PostgresSpec, Relation, Tls};
