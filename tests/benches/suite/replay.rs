//! A replay from the recording's bytes to its verdict, against the run that it replays, from order to
//! receipt.

use std::sync::Arc;

use domain::Outcome;
use sandbox::Replay;
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::Bed;
use super::readings::{Readings, size};
use super::stats::{Goal, Row, Unit, alternate, seconds};

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let sizes: &[(u32, usize)] = scale.pick(&[(1_000, 30), (1_000_000, 3)], &[(100, 1)]);
    let bed = rt.block_on(Bed::open(&Readings::sqlite(size(scale))));
    let measured = sizes.iter().map(|(rows, rounds)| {
        let story = rt.block_on(bed.story(&format!("{{\"rows\":{rows}}}")));
        let run = |use_number| {
            let order = bed.order(&story, use_number);
            let id = order.0.clone();
            let time =
                seconds(|| assert_eq!(rt.block_on(bed.run(order)).outcome, Outcome::Succeeded));
            (id, time)
        };
        let (first, _) = run(1);
        let recording = rt.block_on(bed.recording(&first));
        let mut use_number = 1;
        let live = || {
            use_number += 1;
            run(use_number).1
        };
        let replay = || seconds(|| rt.block_on(replay(&bed, &recording)));
        let (replayed, lived) = alternate(scale, *rounds, replay, live);
        let what = format!("replay of a run over {rows} rows");
        Row::pair(what, Unit::Seconds, replayed, ("run", lived)).goal(Goal::RatioAtMost(0.1))
    });
    let measured = measured.collect();
    rt.block_on(bed.close());
    measured
}

async fn replay(bed: &Bed, recording: &[u8]) {
    let (component, manifest) = (Arc::clone(&bed.meter.component), Arc::clone(&bed.meter.manifest));
    let sandbox = bed.runner.sandbox();
    let replay = executor::replay::replay(sandbox, recording, component, manifest).await.unwrap();
    assert!(matches!(replay, Replay::Matches(_)), "{replay:?}");
}
