//! `POST /v1/runs` over loopback, waiting for the run's end, against what a program without any
//! evidence would do for the same answer: the query by sqlx and two durable writes.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::Client;
use api::types::RunOrdered;
use domain::{Outcome, RunState};
use futures_util::future::join_all;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::{Bed, Story, workshop};
use super::machine::append;
use super::readings::{READINGS, Readings, size};
use super::stats::{Goal, Row, Samples, Unit, rate};

/// Rows of the query.
const ROWS: i64 = 10;
/// Bytes of one durable write of the plain program.
const WRITE_BYTES: usize = 1_000;

/// Latencies, and how long the whole block took.
pub(super) struct Block {
    pub(super) latencies: Vec<f64>,
    pub(super) time: Duration,
}

impl Block {
    pub(super) fn rate(&self) -> f64 {
        rate(self.latencies.len() as u64, self.time)
    }
}

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let readings = Readings::sqlite(size(scale));
    let bed = rt.block_on(Bed::open(&readings));
    let story = rt.block_on(bed.story(&format!("{{\"rows\":{ROWS}}}")));
    let client = rt.block_on(bed.client());
    let pool = rt.block_on(pool(readings.file()));
    let mut next_use = 1;
    let mut rows = Vec::new();
    for clients in scale.pick(&[1, 32][..], &[2][..]).iter().copied() {
        let each = scale.pick(if clients == 1 { 40 } else { 10 }, 1);
        let mut sides: [(Samples, Samples); 2] = Default::default();
        for round in 0..scale.pick(8, 1) {
            let ours = rt.block_on(ours(&bed, &story, &client, clients, each, &mut next_use));
            let plain = rt.block_on(plain(&pool, clients, each));
            if round > 0 || scale == Scale::Smoke {
                for ((latencies, rates), block) in sides.iter_mut().zip([ours, plain]) {
                    rates.push(block.rate());
                    latencies.extend(block.latencies);
                }
            }
        }
        let [ours, plain] = sides;
        let name = "sqlx + 2 fdatasync";
        let what = format!("POST /v1/runs, {clients} client(s)");
        let row = Row::pair(what, Unit::Seconds, ours.0, (name, plain.0));
        rows.push(row.goal(Goal::RatioAtMost(2.0)));
        let what = format!("runs at {clients} client(s)");
        rows.push(Row::pair(what, Unit::PerSecond, ours.1, (name, plain.1)));
    }
    rt.block_on(bed.close());
    rows
}

/// `clients` at a time send `each` orders, one after the other; all are signed before.
pub(super) async fn ours(
    bed: &Bed,
    story: &Story,
    client: &Client,
    clients: usize,
    each: usize,
    next_use: &mut u64,
) -> Block {
    let mut orders: Vec<Vec<RunOrdered>> = Vec::new();
    for _ in 0..clients {
        let uses = *next_use..*next_use + each as u64;
        orders.push(uses.map(|number| bed.ordered(story, number)).collect());
        *next_use += each as u64;
    }
    let one = |orders: Vec<RunOrdered>| {
        let client = client.clone();
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            for order in &orders {
                let begin = Instant::now();
                let run = client.order_run(order, Duration::from_secs(60), None).await.unwrap();
                latencies.push(begin.elapsed().as_secs_f64());
                assert_eq!(run.state, RunState::Ended { outcome: Outcome::Succeeded }, "{run:?}");
            }
            latencies
        })
    };
    let begin = Instant::now();
    let done = join_all(orders.into_iter().map(one)).await;
    let time = begin.elapsed();
    Block { latencies: done.into_iter().flat_map(Result::unwrap).collect(), time }
}

/// As many connections as the product's own store has.
async fn pool(database: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    SqlitePoolOptions::new().max_connections(8).connect_with(options).await.unwrap()
}

async fn plain(pool: &SqlitePool, clients: usize, each: usize) -> Block {
    let dir = tempfile::tempdir_in(workshop()).unwrap();
    let one = |number: usize| {
        let (pool, path) = (pool.clone(), dir.path().join(number.to_string()));
        let file = OpenOptions::new().append(true).create_new(true).open(path).unwrap();
        tokio::spawn(async move {
            let file = Arc::new(std::sync::Mutex::new(file));
            let mut latencies = Vec::new();
            for _ in 0..each {
                let begin = Instant::now();
                write(&file).await;
                let rows = sqlx::query(READINGS).bind(ROWS).fetch_all(&pool).await.unwrap();
                assert_eq!(rows.len(), 10);
                write(&file).await;
                latencies.push(begin.elapsed().as_secs_f64());
            }
            latencies
        })
    };
    let begin = Instant::now();
    let done = join_all((0..clients).map(one)).await;
    let time = begin.elapsed();
    Block { latencies: done.into_iter().flat_map(Result::unwrap).collect(), time }
}

async fn write(file: &Arc<std::sync::Mutex<File>>) {
    let file = Arc::clone(file);
    let work = move || append(&mut file.lock().unwrap(), &[7; WRITE_BYTES]);
    tokio::task::spawn_blocking(work).await.unwrap();
}
