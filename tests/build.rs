//! Embeds every guest: the ready-made scripts, the demo's attackers, the guests of the proofs and of
//! the benches.

#[path = "../runner/cli/build/guests.rs"]
mod guests;

use std::path::Path;

use guests::{Guests, embed};

fn main() -> Result<(), guests::Failure> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let repository = tests.join("..").canonicalize().map_err(|e| format!("no repository: {e}"))?;
    let attackers = repository.join("runner/cli/demo-guests");
    let proofs = repository.join("tests/guests");
    let measured = repository.join("tests/benches/guests");
    embed(
        &repository,
        &[
            Guests::all_in(&repository, &repository.join("scripts"))?,
            Guests::all_in(&attackers, &attackers)?,
            Guests::all_in(&proofs, &proofs)?,
            Guests::all_in(&measured, &measured)?,
        ],
    )
}
