//! The part of bindgen's interface that pg_query's build script calls: it answers with [`BINDINGS`],
//! the functions of `pg_query.h` that the crate uses, written by hand. It generates nothing and reads
//! no header; when pg_query is upgraded, `bindings.rs` is compared with the new header by hand, and
//! the gate's tests in `targets` fail if they disagree.

use std::io;
use std::path::Path;

/// The text of the bindings.
const BINDINGS: &str = include_str!("bindings.rs");

/// Takes what the build script says, and needs none of it.
#[derive(Default)]
pub struct Builder;

impl Builder {
    /// The header whose bindings are wanted; there is only one.
    pub fn header(self, _path: impl Into<String>) -> Self {
        self
    }

    /// The bindings.
    ///
    /// # Errors
    /// Never; the signature is bindgen's.
    pub fn generate(self) -> Result<Bindings, String> {
        Ok(Bindings)
    }
}

/// Bindings that can be written.
pub struct Bindings;

impl Bindings {
    /// Writes them to `path`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_to_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, BINDINGS)
    }
}
