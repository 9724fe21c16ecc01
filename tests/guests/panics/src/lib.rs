//! Panics: the message reaches stderr, and the trap names the function.

use borescope::{Result, log};

#[borescope::script]
fn run() -> Result<i64> {
    log::info("about to divide the shop by nothing");
    Ok(divide_the_shop(std::hint::black_box(0)))
}

/// Never inlined, so that the trap names it.
#[inline(never)]
fn divide_the_shop(by: i64) -> i64 {
    assert!(by != 0, "cannot divide the shop by nothing");
    50_000 / by
}
