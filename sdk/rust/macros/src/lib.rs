//! The attribute macro of the Rust SDK; scripts use it as `borescope::script`.
//!
//! It only checks the function's shape and writes the export. Everything that happens at run time
//! is ordinary code in `borescope::entry`.

mod script;

use proc_macro::TokenStream;

/// Makes a function the script: `fn run(input: Input) -> borescope::Result<Output>`.
///
/// The input is read from JSON and the output written as JSON, both through serde. A script that
/// takes no input has no parameter. One function a crate.
#[proc_macro_attribute]
pub fn script(arguments: TokenStream, function: TokenStream) -> TokenStream {
    script::expand(arguments.into(), function.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
