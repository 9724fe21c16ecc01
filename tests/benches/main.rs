//! The bench target: `cargo xtask bench [FILTER]`. It reads the command line, runs the suite and
//! prints its table; what is measured, and how, is in [`suite`]. It asserts no speed.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up has failed")]

mod suite;

use std::io::Write as _;
use std::process::ExitCode;

use suite::Options;

const HELP: &str = "\
usage: numbers [FILTER] [--smoke] [--date DATE]

Runs the benches whose name contains FILTER, all without one, and prints a table in Markdown.

  --smoke      one small sample of each: shows that they work, measures nothing
  --date DATE  what the machine's description gives as date

benches:";

fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        return usage();
    };
    let rows = suite::run(&options);
    if rows.is_empty() {
        return usage();
    }
    // Nobody is left to tell when standard output is gone.
    let _ = writeln!(std::io::stdout(), "{}", suite::report(&options, &rows));
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    suite::say(&format!("{HELP}\n{}", suite::list()));
    ExitCode::from(2)
}
