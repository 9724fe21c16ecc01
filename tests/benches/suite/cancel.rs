//! From a cancellation, while the target works on a query that never ends, to the run's last event:
//! the query is interrupted, the recording complete, the receipt signed and the end durable. At
//! PostgreSQL also to the moment at which another session sees that nothing runs there any more.

use std::time::{Duration, Instant};

use domain::Outcome;
use executor::Runner as _;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use super::Scale;
use super::bed::{Bed, Story};
use super::readings::{APPLICATION, Readings, size};
use super::stats::{Row, Samples, Unit};

/// Longer than a statement takes to be at work at the target.
const UNDER_WAY: Duration = Duration::from_millis(50);
/// A superuser sees what all sessions do.
const WATCHER: &str = "postgres";

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let rounds = scale.pick(30, 1);
    let sqlite = Readings::sqlite(size(scale));
    let what = "cancellation to the end of the run (SQLite)";
    let mut samples = Samples::default();
    samples.extend(rt.block_on(all(&sqlite, rounds, None)).into_iter().map(|(end, _)| end));
    let mut rows = vec![Row::alone(what, Unit::Seconds, samples)];
    match Readings::postgres(size(scale)) {
        Err(why) => rows.push(Row::missing("cancellation (PostgreSQL)", why)),
        Ok(readings) => {
            let watcher = rt.block_on(readings.postgres_client(WATCHER));
            let times = rt.block_on(all(&readings, rounds, Some(&watcher)));
            let (mut ends, mut idle) = (Samples::default(), Samples::default());
            ends.extend(times.iter().map(|(end, _)| *end));
            idle.extend(times.iter().map(|(_, idle)| *idle));
            let what = "cancellation to the end of the run (PostgreSQL)";
            rows.push(Row::alone(what, Unit::Seconds, ends));
            let what = "cancellation to nothing runs at the server (PostgreSQL)";
            rows.push(Row::alone(what, Unit::Seconds, idle).goal(super::stats::Goal::AtMost(0.1)));
        }
    }
    rows
}

/// For each round the seconds to the run's end, and to the end of its statement at the server.
async fn all(readings: &Readings, rounds: u64, watcher: Option<&Client>) -> Vec<(f64, f64)> {
    let bed = Bed::open(readings).await;
    let story = bed.story("{\"endless\":true}").await;
    let mut times = Vec::new();
    for use_number in 1..=rounds {
        times.push(cancelled(&bed, &story, use_number, watcher).await);
    }
    bed.close().await;
    times
}

async fn cancelled(
    bed: &Bed,
    story: &Story,
    use_number: u64,
    watcher: Option<&Client>,
) -> (f64, f64) {
    let order = bed.order(story, use_number);
    let run = order.0.clone();
    let live = async {
        let ended = bed.run(order).await;
        assert_eq!(ended.outcome, Outcome::Cancelled);
        Instant::now()
    };
    let cancel = async {
        if let Some(watcher) = watcher {
            while !is_working(watcher).await {}
        }
        tokio::time::sleep(UNDER_WAY).await;
        let begin = Instant::now();
        // The runner has the run only once it has verified its documents.
        while !bed.runner.cancel(&run) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if let Some(watcher) = watcher {
            while is_working(watcher).await {}
        }
        (begin, begin.elapsed().as_secs_f64())
    };
    let (ended, (begin, idle)) = tokio::join!(live, cancel);
    (ended.duration_since(begin).as_secs_f64(), idle)
}

/// Whether the runner's statement is at work at the server.
async fn is_working(watcher: &Client) -> bool {
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'";
    watcher.query_one(sql, &[&APPLICATION]).await.unwrap().get::<_, i64>(0) > 0
}
