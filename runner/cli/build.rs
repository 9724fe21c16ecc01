//! Embeds the bundles that `borescope demo` submits: the ready-made scripts, and two scripts that
//! try what they may not; the component of scripts that are only SQL; and the sources of the SDK. One
//! more guest is only put beside them, for the tests of the program.

#[path = "build/guests.rs"]
mod guests;
#[path = "build/sdk.rs"]
mod sdk;

use std::path::{Path, PathBuf};

use guests::{Guests, embed};

fn main() -> Result<(), guests::Failure> {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    let repository = cli.join("../..").canonicalize().map_err(|e| format!("no repository: {e}"))?;
    let scripts = ["stuck-orders", "payment-mismatch", "customer-timeline"];
    let scripts = scripts.map(|name| repository.join("scripts").join(name)).to_vec();
    let attackers = repository.join("runner/cli/demo-guests");
    let proofs = repository.join("tests/guests");
    let loud =
        Guests { packages: vec![proofs.join("loud-mouth")], workspace: proofs, listed: false };
    let stock = Guests {
        packages: vec![repository.join("sdk/stock")],
        workspace: repository.clone(),
        listed: false,
    };
    let out = std::env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR; run this by cargo")?;
    sdk::embed(&repository, &PathBuf::from(out))?;
    embed(
        &repository,
        &[
            Guests { workspace: repository.clone(), packages: scripts, listed: true },
            Guests::all_in(&attackers, &attackers)?,
            loud,
            stock,
        ],
    )
}
