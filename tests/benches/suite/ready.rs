//! From starting the real program to the first answer that says ready: `borescope serve` on a new
//! server's folder.

use tokio::runtime::Runtime;

use super::Scale;
use super::bed::workshop;
use super::program::{command, free_address, good, program, start};
use super::readings::{Readings, size};
use super::stats::{Goal, Row, Samples, Unit};

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let what = "`borescope serve` ready";
    let program = match program(what) {
        Ok(program) => program,
        Err(missing) => return missing,
    };
    let readings = Readings::sqlite(size(scale));
    let home = tempfile::tempdir_in(workshop()).unwrap();
    let address = free_address();
    let target = format!("readings={}", readings.file().display());
    let asked = [
        "init",
        "server",
        "--trust-domain",
        "bench.example/ready",
        "--person",
        "alice",
        "--person",
        "bob",
        "--target",
        &target,
        "--listen",
        &address,
    ];
    good(command(&program, home.path()).args(asked));
    let mut samples = Samples::default();
    for _ in 0..scale.pick(15, 1) {
        let (_server, seconds) = rt.block_on(start(&program, home.path(), &address));
        samples.push(seconds);
    }
    vec![Row::alone(what, Unit::Seconds, samples).goal(Goal::AtMost(1.0))]
}
