//! The one executable `borescope`: the command line over the API, the server, and the demo.
//!
//! It parses, asks, signs and shows. What it is *not*: an authority. Whatever it signs it has hashed
//! and verified itself, and everything that it is told by a server is checked against the keyring
//! that the user's context pins. Start reading at [`commands`].

mod against;
mod allowed_signers;
mod args;
mod attendant;
mod believed;
mod blast;
mod bundle;
mod cargo;
mod chosen;
mod commands;
mod completing;
mod config;
mod confine;
mod demo;
mod dossier;
mod exit;
mod fixtures;
mod founding;
mod keys;
mod narrow;
mod next;
mod node;
mod on;
mod out;
mod params;
mod people;
mod project;
mod rebuild;
mod sdk;
mod server_config;
mod session;
mod signer;
mod source;
mod status_signing;
mod stock;
mod timeline;
mod view;
mod when;

use std::process::ExitCode;

use crate::config::Environment;
use crate::exit::report;
use crate::out::Out;

fn main() -> ExitCode {
    let env = Environment::read();
    let typed: Vec<_> = std::env::args_os().collect();
    let parsed = match completing::answer(&typed, &env) {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => args::parse(&typed),
        Err(error) => Err(error),
    };
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return exit::told(&error).into(),
    };
    let out = Out::new(cli.json, env.plain);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(commands::dispatch(cli, &env, out)),
        Err(e) => Err(e.into()),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => report(out, &error).into(),
    }
}
