//! Write Borescope scripts in Rust.
//!
//! A script is a library crate (`crate-type = ["cdylib"]`) with one function:
//!
//! ```ignore
//! use borescope::Result;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize)]
//! struct Input { since: String }
//!
//! #[derive(Serialize)]
//! struct Output { orders: u64 }
//!
//! #[derive(Deserialize)]
//! struct Order { id: i64, number: String }
//!
//! #[borescope::script]
//! fn run(input: Input) -> Result<Output> {
//!     borescope::log::info(format!("looking at orders since {}", input.since));
//!     let orders = borescope::query("stuck").param("batch", 500_i64).all::<Order>()?;
//!     Ok(Output { orders: orders.len() as u64 })
//! }
//! ```
//!
//! `cargo build --target wasm32-wasip2 --release` yields the component. It imports the host
//! interfaces that the code really uses and no other: a script without a [`query()`] does not import
//! `borescope:debug/sql`.
//!
//! What is *not* here: SQL text (it is in the bundle's `queries/`), files, sockets, the real clock
//! and real randomness. The host contract itself is `sdk/wit/borescope.wit`; nothing in this crate
//! depends on the runner.

mod error;
pub mod log;
mod output;
mod query;
mod row;
pub mod run_context;
mod table;
mod value;

#[doc(hidden)]
pub mod bindings {
    //! The host contract as wit-bindgen generates it. Scripts use the modules around it.
    //!
    //! All `unsafe` of a script is in what this macro and its `export!` write: the canonical ABI
    //! passes pointers. None is written by hand, so no lint is suppressed.
    wit_bindgen::generate!({
        path: "../wit",
        world: "script",
        pub_export_macro: true,
        default_bindings_module: "borescope::bindings",
        generate_all,
    });
}
#[doc(hidden)]
pub mod entry;

pub use borescope_macros::script;
pub use error::{Error, Result};
pub use output::{artifact, progress};
pub use query::{Cursor, Query, Rows, Values, queries, query};
pub use table::{Table, table};
pub use value::{Column, Value};
