//! Does as much as it is told: calls of the cheapest host function, rows of a query, or a query that
//! never ends. The benches take its time.

use borescope::{Result, query, run_context};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    calls: u64,
    #[serde(default)]
    rows: i64,
    #[serde(default)]
    endless: bool,
}

#[derive(Deserialize)]
struct Reading {
    id: i64,
    at: String,
    sensor: String,
    value: f64,
}

#[derive(Deserialize)]
struct Count {
    n: i64,
}

#[derive(Serialize)]
struct Output {
    rows: u64,
    /// Of everything that was read, so that nobody can leave out reading it.
    sum: f64,
}

#[borescope::script]
fn run(input: Input) -> Result<Output> {
    let mut output = Output { rows: 0, sum: 0.0 };
    for _ in 0..input.calls {
        output.sum += run_context::fuel_left() as f64;
    }
    if input.rows > 0 {
        for row in query("readings").param("rows", input.rows).open()?.rows() {
            let Reading { id, at, sensor, value } = row?;
            output.rows += 1;
            output.sum += value + id as f64 + (at.len() + sensor.len()) as f64;
        }
    }
    if input.endless {
        output.rows = query("endless").first::<Count>()?.map_or(0, |c| c.n as u64);
    }
    Ok(output)
}
