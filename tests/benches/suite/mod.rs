//! The benches, and what they share. Each bench is a file with one function that measures something
//! of ours beside the plainest program that does the same, alternating, in one process.
//!
//! `tests/it` runs the same functions with [`Scale::Smoke`], so that they cannot rot. Neighbours:
//! `stats` (samples, rows of the table), `machine` (where it was measured), `readings` (the database
//! that is read), `bed` (a company of 500 people with a server and a runner over it),
//! `program` (the real executable).

mod bed;
mod machine;
mod program;
mod readings;
mod stats;

mod answer;
mod cancel;
mod chain;
mod entries;
mod gate;
mod hello;
mod host_call;
mod instantiate;
mod launch;
mod ready;
mod replay;
mod rows;
mod verify;

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use stats::Row;
use tokio::runtime::Runtime;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// Enough for figures that mean something.
    Full,
    /// One small sample: shows that the bench works.
    Smoke,
}

impl Scale {
    /// A size or a number of rounds.
    fn pick<T>(self, full: T, smoke: T) -> T {
        match self {
            Self::Full => full,
            Self::Smoke => smoke,
        }
    }
}

/// What to run.
pub(crate) struct Options {
    /// Part of a bench's name.
    filter: Option<String>,
    /// How much.
    scale: Scale,
    /// The date for the machine's description.
    date: String,
}

impl Options {
    /// Reads the command line without the program's name; `None` when it makes no sense.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut this = Self { filter: None, scale: Scale::Full, date: "not given".to_owned() };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--smoke" => this.scale = Scale::Smoke,
                "--date" => this.date = arguments.next()?,
                // Cargo says that this is a bench; we know.
                "--bench" => {}
                filter if !filter.starts_with('-') => this.filter = Some(filter.to_owned()),
                _ => return None,
            }
        }
        Some(this)
    }
}

/// A bench: its name, what it measures, and its function.
struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn(&Runtime, Scale) -> Vec<Row>,
}

/// Every bench, in the order of the table.
const ALL: &[Bench] = &[
    Bench {
        name: "instantiate",
        about: "link, instantiate, call and tear down, against bare wasmtime (10 s)",
        run: instantiate::run,
    },
    Bench {
        name: "host-call",
        about: "a host call with and without record (10 s)",
        run: host_call::run,
    },
    Bench {
        name: "chain",
        about: "verification of a run's documents, against raw ed25519 (10 s)",
        run: chain::run,
    },
    Bench {
        name: "gate",
        about: "the SQL gate of PostgreSQL, cold and kept (10 s)",
        run: gate::run,
    },
    Bench {
        name: "rows",
        about: "1, 1,000 and 1,000,000 rows through a script, against plain sqlx (1 min)",
        run: rows::run,
    },
    Bench {
        name: "launch",
        about: "POST /v1/runs at 1 and 32 clients, against plain sqlx and two fdatasync (1 min)",
        run: launch::run,
    },
    Bench {
        name: "hello",
        about: "audited runs against requests of `wasmtime serve` on a hello component (1 min)",
        run: hello::run,
    },
    Bench {
        name: "entries",
        about: "durable ledger entries at 1, 16, 64 writers, against raw group commit (30 s)",
        run: entries::run,
    },
    Bench { name: "replay", about: "replay against run (1 min)", run: replay::run },
    Bench {
        name: "verify",
        about: "verification of a log of 1,000,000 entries, against raw SHA-256 (1 min)",
        run: verify::run,
    },
    Bench {
        name: "ready",
        about: "from starting `borescope serve` to ready (10 s)",
        run: ready::run,
    },
    Bench {
        name: "answer",
        about: "from typing `borescope run` to its verified answer, against the query alone (20 s)",
        run: answer::run,
    },
    Bench {
        name: "cancel",
        about: "from a cancellation to the end of the run (10 s)",
        run: cancel::run,
    },
];

/// The benches as a list for people.
pub(crate) fn list() -> String {
    ALL.iter().fold(String::new(), |mut text, bench| {
        writeln!(text, "  {:<12} {}", bench.name, bench.about).unwrap();
        text
    })
}

/// Runs what the options choose, and tells standard error how far it is.
pub(crate) fn run(options: &Options) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let filter = options.filter.as_deref().unwrap_or_default();
    let mut rows = Vec::new();
    for bench in ALL.iter().filter(|bench| bench.name.contains(filter)) {
        say(&format!("{}: {}", bench.name, bench.about));
        let begin = Instant::now();
        let measured = (bench.run)(&runtime, options.scale);
        for row in &measured {
            say(&format!("  {}", row.line()));
        }
        say(&format!("  {:.1} s", begin.elapsed().as_secs_f64()));
        rows.extend(measured);
    }
    rows
}

/// The machine and the table, in Markdown.
pub(crate) fn report(options: &Options, rows: &[Row]) -> String {
    let machine = machine::describe(&options.date, options.scale);
    format!("{machine}\n{}", stats::table(rows))
}

/// Writes to standard error: progress.
pub(crate) fn say(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}
