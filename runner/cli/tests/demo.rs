//! The demo is the product's own acceptance test: every step is a real request to a real server.

#[path = "demo/played.rs"]
mod played;

#[test]
fn every_step_of_the_demo_comes_out_as_expected() {
    let told = played::as_expected(&[]);
    assert!(!told.contains("its primary"), "a file has none: {told}");
}
