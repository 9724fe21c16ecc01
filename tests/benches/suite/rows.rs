//! Rows of a query through a script, from the order to the receipt, against plain sqlx that reads the
//! same rows into structs. Ours includes everything that makes a run a run: documents verified, use
//! spent, intent and release durable, every row recorded.

use std::path::Path;

use domain::Outcome;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::Bed;
use super::stats::{Goal, Row, Unit, alternate, seconds};

/// The query of `meter`.
pub(super) const READINGS: &str =
    "SELECT r.id, r.at, r.sensor, r.value FROM readings AS r ORDER BY r.id LIMIT $1";

/// One row.
struct Reading {
    id: i64,
    at: String,
    sensor: String,
    value: f64,
}

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let sizes: &[(u32, usize)] =
        scale.pick(&[(1, 50), (1_000, 30), (1_000_000, 5)], &[(1, 1), (100, 1)]);
    let rows_max = sizes.iter().map(|(rows, _)| *rows).max().unwrap_or_default();
    let bed = rt.block_on(Bed::open(u64::from(rows_max)));
    let mut plain = rt.block_on(connect(&bed.database));
    let measured = sizes.iter().map(|(rows, rounds)| {
        let story = rt.block_on(bed.story(&format!("{{\"rows\":{rows}}}")));
        let mut use_number = 0;
        let ours = || {
            use_number += 1;
            let ended = bed.run(bed.order(&story, use_number));
            seconds(|| assert_eq!(rt.block_on(ended).outcome, Outcome::Succeeded))
        };
        let plain = || seconds(|| assert_eq!(rt.block_on(read(&mut plain, *rows)), *rows));
        let (ours, plain) = alternate(scale, *rounds, ours, plain);
        let row = Row::pair(format!("{rows} rows (SQLite)"), Unit::Seconds, ours, ("sqlx", plain));
        // Reading at 0.8 of the speed takes 1.25 of the time.
        if *rows == 1_000_000 { row.goal(Goal::RatioAtMost(1.25)) } else { row }
    });
    let measured = measured.collect();
    rt.block_on(bed.close());
    measured
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap()
}

/// Reads so many rows; returns how many there were.
async fn read(connection: &mut SqliteConnection, rows: u32) -> u32 {
    use futures_util::TryStreamExt as _;
    let mut stream = sqlx::query(READINGS).bind(i64::from(rows)).fetch(connection);
    let (mut count, mut sum) = (0, 0.0);
    while let Some(row) = stream.try_next().await.unwrap() {
        let reading =
            Reading { id: row.get(0), at: row.get(1), sensor: row.get(2), value: row.get(3) };
        count += 1;
        sum += reading.value + reading.id as f64 + (reading.at.len() + reading.sensor.len()) as f64;
    }
    std::hint::black_box(sum);
    count
}
