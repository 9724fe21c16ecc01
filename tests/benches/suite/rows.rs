//! Rows of a query through a script, from the order to the receipt, against a plain program that reads
//! the same rows into structs: sqlx for SQLite, and for PostgreSQL the driver that the connector uses.
//! Ours includes everything that makes a run a run: documents verified, use spent, intent and release
//! durable, every row recorded.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Outcome;
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::Bed;
use super::readings::{READINGS, ROLE, Readings, size};
use super::stats::{Goal, Row, Unit, alternate, seconds};

/// One row; `at` as its engine's driver gives it.
struct Reading<T> {
    id: i64,
    at: T,
    sensor: String,
    value: f64,
}

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let readings = Readings::sqlite(size(scale));
    let mut plain = rt.block_on(connect(&readings));
    let mut rows =
        measure(rt, scale, &readings, "sqlx", |rows| rt.block_on(read(&mut plain, rows)));
    match Readings::postgres(size(scale)) {
        Err(why) => rows.push(Row::missing("rows (PostgreSQL)", why)),
        Ok(readings) => {
            let client = rt.block_on(readings.postgres_client(ROLE));
            let plain = |rows| rt.block_on(read_postgres(&client, rows));
            rows.extend(measure(rt, scale, &readings, "tokio-postgres", plain));
        }
    }
    rows
}

fn measure(
    rt: &Runtime,
    scale: Scale,
    readings: &Readings,
    driver: &str,
    mut read: impl FnMut(u32) -> u32,
) -> Vec<Row> {
    let sizes: &[(u32, usize)] =
        scale.pick(&[(1, 50), (1_000, 30), (1_000_000, 5)], &[(1, 1), (100, 1)]);
    let bed = rt.block_on(Bed::open(readings));
    let one = |(rows, rounds): &(u32, usize)| {
        let story = rt.block_on(bed.story(&format!("{{\"rows\":{rows}}}")));
        let mut use_number = 0;
        let ours = || {
            use_number += 1;
            let ended = bed.run(bed.order(&story, use_number));
            seconds(|| assert_eq!(rt.block_on(ended).outcome, Outcome::Succeeded))
        };
        let plain = || seconds(|| assert_eq!(read(*rows), *rows));
        let (ours, plain) = alternate(scale, *rounds, ours, plain);
        let what = format!("{rows} rows ({})", readings.engine());
        let row = Row::pair(what, Unit::Seconds, ours, (driver, plain));
        // Reading at 0.8 of the speed takes 1.25 of the time.
        if *rows == 1_000_000 { row.goal(Goal::RatioAtMost(1.25)) } else { row }
    };
    let measured = sizes.iter().map(one).collect();
    rt.block_on(bed.close());
    measured
}

async fn connect(readings: &Readings) -> SqliteConnection {
    SqliteConnectOptions::new().filename(readings.file()).read_only(true).connect().await.unwrap()
}

/// Reads so many rows; returns how many there were.
async fn read(connection: &mut SqliteConnection, rows: u32) -> u32 {
    let mut stream = sqlx::query(READINGS).bind(i64::from(rows)).fetch(connection);
    let (mut count, mut sum) = (0, 0.0);
    while let Some(row) = stream.try_next().await.unwrap() {
        let reading: Reading<String> =
            Reading { id: row.get(0), at: row.get(1), sensor: row.get(2), value: row.get(3) };
        count += 1;
        sum += reading.value + reading.id as f64 + (reading.at.len() + reading.sensor.len()) as f64;
    }
    std::hint::black_box(sum);
    count
}

/// As [`read`].
async fn read_postgres(client: &tokio_postgres::Client, rows: u32) -> u32 {
    let stream = client.query_raw(READINGS, [i64::from(rows)]).await.unwrap();
    let mut stream = std::pin::pin!(stream);
    let (mut count, mut sum) = (0, 0.0);
    while let Some(row) = stream.try_next().await.unwrap() {
        let reading: Reading<SystemTime> =
            Reading { id: row.get(0), at: row.get(1), sensor: row.get(2), value: row.get(3) };
        count += 1;
        let at = reading.at.duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        sum += reading.value + reading.id as f64 + at + reading.sensor.len() as f64;
    }
    std::hint::black_box(sum);
    count
}
