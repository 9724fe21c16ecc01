//! A script with a loop that never ends: its fuel does.

use borescope::{Result, log, query};

#[borescope::script]
fn run() -> Result<u64> {
    let rows = query("one").open()?.values().count();
    log::info(format!(
        "read {rows} row; now looking for the end of the numbers"
    ));
    Ok(find_the_end())
}

/// Never inlined, so that the trap names it.
#[inline(never)]
fn find_the_end() -> u64 {
    let mut n = 1_u64;
    loop {
        n = std::hint::black_box(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        if n == 0 {
            // Not reached before 2^64 steps; without it the compiler knows that the loop is endless.
            return n;
        }
    }
}
