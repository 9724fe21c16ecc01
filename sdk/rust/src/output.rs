//! What a script produces besides its return value and tables: progress and artifacts.
//!
//! All of it counts against the run's `output` limit; going over ends the run.

use crate::bindings::borescope::debug::output;

/// Tells whoever waits how far the script is. `percent` is 0 to 100, more counts as 100.
pub fn progress(percent: u8, note: impl AsRef<str>) {
    output::progress(percent.min(100), note.as_ref());
}

/// Adds a named file to the result, as `report.csv` of type `text/csv`.
pub fn artifact(name: &str, content_type: &str, bytes: &[u8]) {
    output::artifact(name, content_type, bytes);
}
