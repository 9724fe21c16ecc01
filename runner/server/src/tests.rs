//! Tests of the HTTP shell without an app behind it: errors, limits, ids. Scenarios over HTTP are in
//! the package `tests`.

mod guarding;
mod problems;
