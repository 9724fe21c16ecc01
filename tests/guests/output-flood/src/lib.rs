//! Floods stdout, whose excess is only dropped, and then the output, whose limit ends the run.

use borescope::{Error, Result, artifact, table};

/// 16 MiB in all: above any cap of stdout and above the manifest's output.
const ROUNDS: usize = 256;
const BLOCK_BYTES: usize = 64 << 10;

#[borescope::script]
fn run() -> Result<()> {
    let block = "x".repeat(BLOCK_BYTES);
    for _ in 0..ROUNDS {
        println!("{block}");
    }
    for round in 0..ROUNDS {
        table("flood").column("text").row([block.as_str()]).emit()?;
        artifact(&format!("flood-{round}"), "text/plain", block.as_bytes());
    }
    Err(Error::script("nobody stopped the flood"))
}
