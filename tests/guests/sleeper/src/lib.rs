//! Everything that differs from run to run elsewhere: clocks, sleep, the order of a hash map, the
//! environment. Two runs with the same start and seed must answer the same, at once.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use borescope::Result;
use serde::Serialize;

#[derive(Serialize)]
struct Output {
    unix_seconds: u64,
    /// Virtual: an hour must pass at least, and no real one.
    slept_seconds: u64,
    hash_order: Vec<u32>,
    environment: Vec<String>,
    arguments: Vec<String>,
    file: String,
}

#[borescope::script]
fn run() -> Result<Output> {
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs(3_600));
    let numbers: HashMap<u32, ()> = (0..32).map(|n| (n, ())).collect();
    Ok(Output {
        unix_seconds: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_secs(),
        slept_seconds: start.elapsed().as_secs(),
        hash_order: numbers.into_keys().collect(),
        environment: std::env::vars().map(|(name, _)| name).collect(),
        arguments: std::env::args().collect(),
        file: match std::fs::read_to_string("/etc/passwd") {
            Ok(_) => "read".to_owned(),
            Err(error) => error.kind().to_string(),
        },
    })
}
