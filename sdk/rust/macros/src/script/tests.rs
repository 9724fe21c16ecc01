//! Signatures that authors write by mistake, and the words that they get.

use quote::quote;

use super::expand;

#[track_caller]
fn refused(function: proc_macro2::TokenStream, words: &str) {
    let Err(error) = expand(quote!(), function) else { panic!("the signature was taken") };
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn a_wrong_shape_says_what_is_wrong() {
    refused(
        quote!(
            async fn run(input: I) -> Result<O> {}
        ),
        "remove `async`",
    );
    refused(
        quote!(
            unsafe fn run(input: I) -> Result<O> {}
        ),
        "remove `unsafe`",
    );
    refused(
        quote!(
            fn run<T>(input: T) -> Result<O> {}
        ),
        "no generic parameters",
    );
    refused(
        quote!(
            fn run(input: &I) -> Result<O> {}
        ),
        "take it by value",
    );
    refused(
        quote!(
            fn run(a: A, b: B) -> Result<O> {}
        ),
        "takes one input",
    );
    refused(
        quote!(
            fn run(&self) -> Result<O> {}
        ),
        "no `self`",
    );
    refused(
        quote!(
            fn run(input: I) {}
        ),
        "returns a result",
    );
    refused(
        quote!(
            struct Run;
        ),
        "a script is a function",
    );
}

#[test]
fn arguments_of_the_attribute_are_refused() {
    let error = expand(
        quote!(name = "x"),
        quote!(
            fn run() -> Result<O> {}
        ),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "#[borescope::script] takes no arguments");
}

#[test]
fn a_script_with_and_without_input_is_exported() {
    let with = expand(
        quote!(),
        quote!(
            fn look(input: I) -> Result<O> {}
        ),
    )
    .unwrap()
    .to_string();
    assert!(with.contains("entry :: run (& input , look)"), "{with}");
    let without = expand(
        quote!(),
        quote!(
            fn look() -> Result<O> {}
        ),
    )
    .unwrap()
    .to_string();
    assert!(without.contains("entry :: run_without_input (look)"), "{without}");
}
