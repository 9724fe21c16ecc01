//! The benches work: each runs once, small, with its figures thrown away. They are measured by
//! `cargo xtask bench`.

use crate::suite::{self, Options};

#[test]
fn every_bench_runs() {
    let options = Options::parse(["--smoke".to_owned()]).unwrap();
    let rows = suite::run(&options);
    let report = suite::report(&options, &rows);
    let benches = suite::list().lines().count();
    assert!(rows.len() >= benches, "{benches} benches, {} rows:\n{report}", rows.len());
    assert!(report.contains("instantiate, call and tear down"), "{report}");
}
