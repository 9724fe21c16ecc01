//! Asks for memory, a megabyte at a time, until the host refuses: `memory.grow` returns -1, and
//! the script lives to tell how far it came.

use borescope::Result;

const STEP_BYTES: usize = 1 << 20;
/// More than any limit allows, so the loop always ends at the host's refusal.
const STEPS_MAX: usize = 1_024;

#[borescope::script]
fn run() -> Result<usize> {
    let mut held: Vec<Vec<u8>> = Vec::new();
    while held.len() < STEPS_MAX {
        let mut block = Vec::new();
        if block.try_reserve_exact(STEP_BYTES).is_err() {
            break;
        }
        block.resize(STEP_BYTES, 1_u8);
        held.push(std::hint::black_box(block));
    }
    Ok(held.len())
}
