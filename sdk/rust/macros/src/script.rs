//! Expansion of `#[borescope::script]` as a function from tokens to tokens.

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, Result, ReturnType, Type};

/// What the messages show as the way to write it.
const SHAPE: &str = "fn run(input: Input) -> borescope::Result<Output>";

/// The function as it was, and the component's export that calls it.
pub(crate) fn expand(arguments: TokenStream, function: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "#[borescope::script] takes no arguments"));
    }
    let function: ItemFn = syn::parse2(function)
        .map_err(|e| Error::new(e.span(), format!("a script is a function: `{SHAPE}`")))?;
    refuse_qualifiers(&function)?;
    let output = output_type(&function)?;
    let name = &function.sig.ident;
    let (check_input, call) = match input_type(&function)? {
        Some(input) => (
            quote_spanned!(input.span()=> ::borescope::entry::assert_input::<#input>();),
            quote!(::borescope::entry::run(&input, #name)),
        ),
        None => (TokenStream::new(), quote!(::borescope::entry::run_without_input(#name))),
    };
    let check_output =
        quote_spanned!(output.span()=> ::borescope::entry::assert_output::<#output>(););
    Ok(quote! {
        #[allow(clippy::needless_pass_by_value, reason = "a script owns its input by contract")]
        #function

        const _: () = {
            struct Script;

            impl ::borescope::entry::Guest for Script {
                fn run(
                    input: ::std::string::String,
                ) -> ::core::result::Result<::std::string::String, ::std::string::String> {
                    #check_input
                    #check_output
                    let _ = &input;
                    #call
                }
            }

            ::borescope::entry::export!(Script with_types_in ::borescope::bindings);
        };
    })
}

fn refuse_qualifiers(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    if let Some(word) = &signature.asyncness {
        return Err(Error::new_spanned(word, "a script is synchronous: remove `async`"));
    }
    if let Some(word) = &signature.unsafety {
        return Err(Error::new_spanned(word, "a script is a safe function: remove `unsafe`"));
    }
    if !signature.generics.params.is_empty() {
        let text = "a script has no generic parameters: name its input and output types";
        return Err(Error::new_spanned(&signature.generics, text));
    }
    Ok(())
}

/// The type of the one parameter, if there is one.
fn input_type(function: &ItemFn) -> Result<Option<&Type>> {
    let mut inputs = function.sig.inputs.iter();
    let first = match inputs.next() {
        None => return Ok(None),
        Some(FnArg::Receiver(receiver)) => {
            let text = format!("a script is a free function, it has no `self`: `{SHAPE}`");
            return Err(Error::new_spanned(receiver, text));
        }
        Some(FnArg::Typed(argument)) => argument,
    };
    if let Some(second) = inputs.next() {
        let text = format!("a script takes one input; put the values into one struct: `{SHAPE}`");
        return Err(Error::new_spanned(second, text));
    }
    if let Type::Reference(reference) = &*first.ty {
        let text = format!("a script owns its input: take it by value, `{SHAPE}`");
        return Err(Error::new_spanned(reference, text));
    }
    Ok(Some(&first.ty))
}

fn output_type(function: &ItemFn) -> Result<&Type> {
    match &function.sig.output {
        ReturnType::Type(_, output) => Ok(output),
        ReturnType::Default => {
            let text = format!("a script returns a result: `{SHAPE}`");
            Err(Error::new_spanned(&function.sig, text))
        }
    }
}
