//! What the code of `#[borescope::script]` calls: JSON in, the script, JSON out. Not for people.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
pub use crate::bindings::{Guest, export};

/// One run of a script with an input.
///
/// # Errors
/// The words of whatever went wrong.
pub fn run<I, O>(input: &str, script: fn(I) -> Result<O, Error>) -> Result<String, String>
where
    I: DeserializeOwned,
    O: Serialize,
{
    let input = serde_json::from_str(input).map_err(|e| format!("the input does not fit: {e}"))?;
    answer(script(input))
}

/// One run of a script that takes no input; what the caller sent is not looked at.
///
/// # Errors
/// The words of whatever went wrong.
pub fn run_without_input<O: Serialize>(script: fn() -> Result<O, Error>) -> Result<String, String> {
    answer(script())
}

fn answer<O: Serialize>(result: Result<O, Error>) -> Result<String, String> {
    let output = result.map_err(|e| e.to_string())?;
    serde_json::to_string(&output).map_err(|e| format!("the output is not JSON: {e}"))
}

/// Fails to compile, at the type itself, when the input cannot be read from JSON.
pub const fn assert_input<T: DeserializeOwned>() {}

/// Fails to compile, at the type itself, when the function does not return what a script returns.
pub const fn assert_output<T: ScriptResult>() {}

/// A script's return type: `borescope::Result<T>` where `T` can be written as JSON.
#[diagnostic::on_unimplemented(
    message = "a script returns `borescope::Result<T>` where `T: serde::Serialize`",
    label = "not `borescope::Result<T>`, or its `T` does not derive `serde::Serialize`"
)]
pub trait ScriptResult {}

impl<T: Serialize> ScriptResult for Result<T, Error> {}
