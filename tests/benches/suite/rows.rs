//! Rows of a query through a script, from the order to the receipt, against a plain program that reads
//! the same rows into structs by sqlx. Ours includes everything that makes a run a run:
//! documents verified, use spent, intent and release durable, every row recorded.

use domain::Outcome;
use futures_util::{Stream, TryStreamExt as _};
use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, PgConnection, Row as _, SqliteConnection};
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::Bed;
use super::readings::{READINGS, Readings, size};
use super::stats::{Goal, Row, Samples, Unit, alternate, seconds};

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
    let mut rows = measure(rt, scale, &readings, |rows| rt.block_on(read(&mut plain, rows)));
    match Readings::postgres(size(scale)) {
        Err(why) => rows.push(Row::missing("rows (PostgreSQL)", why)),
        Ok(readings) => {
            let mut plain = rt.block_on(readings.postgres_sqlx());
            let plain = |rows| rt.block_on(read_postgres(&mut plain, rows));
            rows.extend(measure(rt, scale, &readings, plain));
        }
    }
    rows
}

fn measure(
    rt: &Runtime,
    scale: Scale,
    readings: &Readings,
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
        let row = Row::pair(what, Unit::Seconds, ours, ("sqlx", plain));
        // Reading at 0.8 of the speed takes 1.25 of the time.
        if *rows == 1_000_000 { row.goal(Goal::RatioAtMost(1.25)) } else { row }
    };
    let mut measured: Vec<Row> = sizes.iter().map(one).collect();
    measured.extend(sizes.last().map(|(rows, _)| memory(rt, scale, &bed, readings, *rows)));
    rt.block_on(bed.close());
    measured
}

/// The most memory that the process holds beyond what it held before, while a run reads so many rows.
fn memory(rt: &Runtime, scale: Scale, bed: &Bed, readings: &Readings, rows: u32) -> Row {
    let what = format!("memory of a run of {rows} rows ({})", readings.engine());
    let story = rt.block_on(bed.story(&format!("{{\"rows\":{rows}}}")));
    let mut samples = Samples::default();
    for use_number in 1..=scale.pick(5, 1) {
        let Some(before) = held("VmRSS") else { return Row::missing(what, "no /proc") };
        // From here on the highest is counted anew.
        if std::fs::write("/proc/self/clear_refs", "5").is_err() {
            return Row::missing(what, "the kernel does not forget the highest");
        }
        let ended = rt.block_on(bed.run(bed.order(&story, use_number)));
        assert_eq!(ended.outcome, Outcome::Succeeded);
        samples.push(held("VmHWM").unwrap_or(before) - before);
    }
    Row::alone(what, Unit::Bytes, samples)
}

/// Bytes of this process, as the kernel counts them.
fn held(what: &str) -> Option<f64> {
    let kib = super::machine::field("/proc/self/status", what)?;
    Some(kib.strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

async fn connect(readings: &Readings) -> SqliteConnection {
    SqliteConnectOptions::new().filename(readings.file()).read_only(true).connect().await.unwrap()
}

/// Reads so many rows; returns how many there were.
async fn read(connection: &mut SqliteConnection, rows: u32) -> u32 {
    let stream = sqlx::query(READINGS).bind(i64::from(rows)).fetch(connection);
    count(stream, |row: &SqliteRow| Reading {
        id: row.get(0),
        at: row.get::<String, _>(1),
        sensor: row.get(2),
        value: row.get(3),
    })
    .await
}

/// As [`read`]; the time is the eight bytes that the server sends.
async fn read_postgres(connection: &mut PgConnection, rows: u32) -> u32 {
    let stream = sqlx::query(READINGS).bind(i64::from(rows)).fetch(connection);
    count(stream, |row: &PgRow| Reading {
        id: row.get(0),
        at: row.try_get_raw(1).unwrap().as_bytes().unwrap().to_owned(),
        sensor: row.get(2),
        value: row.get(3),
    })
    .await
}

async fn count<R, T: AsRef<[u8]>>(
    mut rows: impl Stream<Item = sqlx::Result<R>> + Unpin,
    reading: impl Fn(&R) -> Reading<T>,
) -> u32 {
    let (mut count, mut sum) = (0, 0.0);
    while let Some(row) = rows.try_next().await.unwrap() {
        let reading = reading(&row);
        count += 1;
        let text = reading.at.as_ref().len() + reading.sensor.len();
        sum += reading.value + reading.id as f64 + text as f64;
    }
    std::hint::black_box(sum);
    count
}
