//! Lines for the recording and for whoever reads the run.
//!
//! `println!` and `eprintln!` work too and land in the recording as stdout and stderr.

use crate::bindings::borescope::debug::log::{Level, emit};

/// Detail for whoever debugs the script itself.
pub fn debug(message: impl AsRef<str>) {
    emit(Level::Debug, message.as_ref());
}

/// What the script is doing.
pub fn info(message: impl AsRef<str>) {
    emit(Level::Info, message.as_ref());
}

/// Something that the reader of the result should know about.
pub fn warn(message: impl AsRef<str>) {
    emit(Level::Warn, message.as_ref());
}

/// Something that makes the result incomplete.
pub fn error(message: impl AsRef<str>) {
    emit(Level::Error, message.as_ref());
}
