//! PostgreSQL targets against real servers: a primary, its standbys, and what happens to them.

mod attacks;
mod cancel;
mod limits;
mod policy;
mod reading;
mod replica;
mod tls;
mod types;
