//! The one integration binary: scenarios over the whole product, and the checks of the tree itself.
//! It is not the place for tests of one module; those live beside the module. The support code that
//! scenarios share is the library of this package (`tests/src`).

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

mod tidy;

mod adversary;
mod api;
mod attacks;
mod authority;
mod benches;
mod capabilities;
mod crash;
mod differential;
mod faults;
mod fuzz;
mod hostile;
mod impersonation;
mod live;
mod masks;
mod matrix;
mod model;
mod plans;
mod runs;

#[path = "../benches/suite/mod.rs"]
mod suite;
