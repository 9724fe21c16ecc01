//! PostgreSQL targets against real servers: a primary, its standbys, and what happens to them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attacks;
mod between;
mod bombs;
mod cancel;
mod drift;
mod faults;
mod limits;
mod masks;
mod oracle;
mod planned;
mod policy;
mod reading;
mod replica;
mod role;
mod tls;
mod types;
