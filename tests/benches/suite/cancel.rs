//! From a cancellation, while the target works on a query that never ends, to the run's last event:
//! the query is interrupted, the recording complete, the receipt signed and the end durable.

use std::time::Duration;

use domain::Outcome;
use executor::Runner as _;
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::{Bed, Story};
use super::stats::{Row, Samples, Unit};

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let bed = rt.block_on(Bed::open(scale.pick(1_000_000, 1_000)));
    let story = rt.block_on(bed.story("{\"endless\":true}"));
    let mut samples = Samples::default();
    for use_number in 1..=scale.pick(30, 1) {
        samples.push(rt.block_on(cancelled(&bed, &story, use_number)));
    }
    rt.block_on(bed.close());
    vec![Row::alone("cancellation to the end of the run (SQLite)", Unit::Seconds, samples)]
}

async fn cancelled(bed: &Bed, story: &Story, use_number: u64) -> f64 {
    let order = bed.order(story, use_number);
    let run = order.0.clone();
    let before = bed.seen.statements().len();
    let live = bed.run(order);
    let cancel = async {
        while bed.seen.statements().len() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The statement is on its way to the target; give it time to be at work there.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let begin = std::time::Instant::now();
        assert!(bed.runner.cancel(&run));
        begin
    };
    let (ended, begin) = tokio::join!(live, cancel);
    // Both are done, and the run ended last.
    let time = begin.elapsed().as_secs_f64();
    assert_eq!(ended.outcome, Outcome::Cancelled);
    time
}
